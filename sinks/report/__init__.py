"""The weekly page for the meeting of sales and marketing."""
