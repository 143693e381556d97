"""The hardware operators: each file holds the parameters, the integer reference and the models of one."""
