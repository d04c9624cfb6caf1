"""What somebody hostile may try, area by area: each module is one area, each item one input."""
