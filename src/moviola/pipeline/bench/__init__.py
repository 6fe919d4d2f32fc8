"""Measure how fast this machine decodes, encodes and writes, and estimate runs from that."""
