"""What there is to do: the labs, their hints, a working copy of them."""
