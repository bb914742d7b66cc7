"""What a Flex Template runs: nothing of it is needed on workers."""

import sys

from pipelines.beam.template import main

main(sys.argv[1:])
