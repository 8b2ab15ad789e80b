"""Seeing a run: from its trace to a timeline, and from that to a page, a figure, a text, or a file for Perfetto."""
