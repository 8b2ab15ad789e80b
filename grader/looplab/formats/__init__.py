"""What other systems take a grade in: each file turns looplab/result/v1 into one of their formats, and adds nothing."""
