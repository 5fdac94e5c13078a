"""RVTools exports: workbooks (.xlsx, .xls) and folders of csv files, versions 3.7 to 4.8."""

from planner.sources.rvtools.reading import parse_rvtools

read_rvtools = parse_rvtools
