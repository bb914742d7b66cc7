"""Pages: from HTML to blocks, to those that are main text, and to text or Markdown."""
