"""Any table as text and times: csv, xlsx and parquet cell by cell, dates as people write them, batches of touches."""
