"""Offsets and days of every zone by Python's zoneinfo: "ZONE UNIX_SECONDS OFFSET DAY" a line.

The moments are those where mistakes live: the second of each change of the clock from 1970 to 2090
and its neighbours, midnights of UTC and of the zone, new years, and some far in the future.
"""
import datetime
import sys
import zoneinfo

UTC = datetime.timezone.utc
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=UTC)


def moment(seconds, zone):
    return (EPOCH + datetime.timedelta(seconds=seconds)).astimezone(zone)


def offset(seconds, zone):
    return int(moment(seconds, zone).utcoffset().total_seconds())


def changes(zone):
    """Every second at which the offset changes, found by halving between steps of ten days."""
    step = 10 * 86400
    found = []
    last = offset(0, zone)
    for start in range(0, 120 * 366 * 86400, step):
        here = offset(start + step, zone)
        if here != last:
            low, high = start, start + step
            while high - low > 1:
                middle = (low + high) // 2
                if offset(middle, zone) == last:
                    low = middle
                else:
                    high = middle
            found.append(high)
        last = here
    return found


def moments(zone):
    for second in changes(zone):
        yield from (second - 1, second, second + 1)
    for year in (1970, 1999, 2000, 2026, 2036, 2037, 2038, 2039, 2060, 2100, 2199, 2400, 9998):
        for month, day in ((1, 1), (3, 29), (7, 1), (10, 1), (12, 31)):
            midnight = datetime.datetime(year, month, day, tzinfo=UTC)
            utc = int((midnight - EPOCH).total_seconds())
            for second in (utc, utc - offset(utc, zone)):
                yield from (second - 1, second)


def main():
    names = sorted(zoneinfo.available_timezones())
    # A part of them, "2/3": the first, the fourth … so that a test need not wait for all.
    part, parts = (int(text) for text in sys.argv[1].split("/"))
    for name in names[part::parts]:
        zone = zoneinfo.ZoneInfo(name)
        for second in moments(zone):
            if second >= 86400:
                there = moment(second, zone)
                print(name, second, int(there.utcoffset().total_seconds()), there.date().isoformat())


if __name__ == "__main__":
    main()
