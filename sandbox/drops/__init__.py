"""Files that a vendor of workforce planning drops each morning: a forecast (CSV) and a staffing plan (XLSX)."""
