"""Runs one query on Sail, a cluster engine that speaks Spark's SQL.

Called by the tests with the answers (Parquet), the columns and their SQL names (JSON), and the query;
writes the rows as Parquet to the last path.
"""

import json
import sys

import pyarrow.parquet as pq
from pysail.spark import SparkConnectServer
from pyspark.sql import SparkSession

answers, columns, sql, rows = sys.argv[1:]
server = SparkConnectServer(ip="127.0.0.1", port=0)
server.start(background=True)
spark = SparkSession.builder.remote(f"sc://127.0.0.1:{server.listening_address[1]}").getOrCreate()
chosen = [f"`{name}` AS {alias}" for name, alias in json.loads(columns).items()]
spark.read.parquet(answers).selectExpr(*chosen).createOrReplaceTempView("answers")
pq.write_table(spark.sql(sql).toArrow(), rows)
