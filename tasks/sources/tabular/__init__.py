"""From files that no warehouse can COPY to files that every warehouse can: one step, in the extraction.

Bytes come in as a stream, loadable files go out as blocks of bytes (`converting.convert`); nothing here knows a store,
a source or a warehouse. Memory does not grow with the file, but for the text table of a workbook.
"""
