"""Compares latency.hlog, read by HdrHistogram's Python port, with result.json: hlog.py RUN-FOLDER"""
import json
import math
import sys

from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader

folder = sys.argv[1]
result = json.load(open(f"{folder}/result.json"))
stored = {"response": result["latency"], "service": result["latencyFromActualSend"], "slip": result["scheduleSlip"],
          "skew": result["fanOutSkew"], "slow-readers": result["latencySlowReaders"], **result["stages"]}

reader = HistogramLogReader(f"{folder}/latency.hlog", HdrHistogram(1, 3600 * 10**9, 3))
read = {}
while (histogram := reader.get_next_interval_histogram()) is not None:
    read[histogram.get_tag()] = histogram


def percentile(histogram, percent):
    """The value that so many of all do not exceed; the port's own function rounds the rank."""
    rank = max(1, math.ceil(histogram.get_total_count() * percent / 100))
    seen = 0
    for item in histogram.get_recorded_iterator():
        seen += item.count_added_in_this_iter_step
        if seen >= rank:
            return histogram.get_highest_equivalent_value(item.value_iterated_to)


faults = 0
for tag, figures in sorted(stored.items()):
    histogram = read.pop(tag, None)
    if histogram is None:
        if figures["count"]:
            print(f"{tag}: {figures['count']} values in result.json and none in latency.hlog")
            faults += 1
        continue
    checks = [("count", figures["count"], histogram.get_total_count())]
    for name, percent in [("p50", 50), ("p90", 90), ("p99", 99), ("p999", 99.9)]:
        checks.append((name, figures[name], min(percentile(histogram, percent), figures["max"])))
    checks.append(("max", histogram.get_highest_equivalent_value(figures["max"]), histogram.get_max_value()))
    length = histogram.get_end_time_stamp() - histogram.get_start_time_stamp()
    checks.append(("length ms", result["durationNanoseconds"] // 10**6, round(length)))
    for name, wanted, found in checks:
        if wanted != found:
            print(f"{tag}: {name} is {found}, and {wanted} in result.json")
            faults += 1
    print(f"{tag}: {histogram.get_total_count()} values, p50 {figures['p50']} ns, p99 {figures['p99']} ns")
for tag in read:
    print(f"{tag}: not in result.json")
    faults += 1
print("hlog: the same" if faults == 0 else f"hlog: {faults} differences")
sys.exit(faults != 0)
