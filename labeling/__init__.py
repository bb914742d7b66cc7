"""Labels: labelling functions, label model, query strategies."""
