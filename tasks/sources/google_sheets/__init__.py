"""Google Sheets: sheets and ranges as rows below a header."""
