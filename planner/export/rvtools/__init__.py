"""Any inventory in the shape of an RVTools export, as other tools read it.

    inventory ─▶ sheets: rows and facts by 4.7's column names ─▶ a version's columns ─▶ xlsx or csv

A column that the inventory cannot fill stays blank, and a sheet about a kind that its source had no
word on is left out: an empty sheet would say that there are none.
"""
