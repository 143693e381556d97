"""The hardware operators: each file holds one operator's RTL parameters, integer reference, cycle and resource model."""
