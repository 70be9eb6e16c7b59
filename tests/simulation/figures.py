#!/usr/bin/env python3
"""The figures of a period, computed by walking through it second by second.

    figures.py PAST.json        prints the figures as JSON

Shares nothing with supervisor/core/src/figures but the definitions: no interval is ever cut or joined here, every
second is asked what it was, and shares are exact fractions. What goes in (times in whole seconds):

    period   {"from", "to"}: wall time
    watches  [{"number", "from", "length", "after": seconds or null, "dated"}]: runs of the supervisor without a clock
             step, "after" being the true time since the one before
    devices  [{"id", "class", "tier", "network", "present", "unwatched", "excluded", "hidden", "down"}]; the last five
             are lists of {"from": [watch, wall], "to": [watch, wall] or null} or {"agreed": [wall, wall]}
    faults   [{"id", "number", "device", "rule", "severity", "first_bad", "raised", "acknowledged", "cleared", "ended",
             "ending", "behind"}]; moments are [watch, wall] or null
"""
import json
import math
import sys
from collections import Counter, defaultdict
from fractions import Fraction

KINDS = ["absent", "unknown", "excluded", "hidden", "down", "up"]
SEVERITIES = ["critical", "major", "minor", "warning", "indeterminate"]
GROUPS = {"classes": "class", "tiers": "tier", "networks": "network"}
MOST_REPEATS = 10


class Clock:
    """What the box's clock showed, second by second."""

    def __init__(self, watches):
        self.watches = sorted(watches, key=lambda watch: watch["number"])

    def seconds(self):
        """Every second the box lived: its watch, and its wall time."""
        for watch in self.watches:
            for second in range(watch["length"]):
                yield watch, (watch["number"], watch["from"] + second)

    def filed(self, moment):
        """The wall time a moment is filed under."""
        number, wall = moment
        known = {watch["number"]: watch for watch in self.watches}
        if number not in known or known[number]["dated"]:
            return wall
        for watch in self.watches:
            if watch["number"] > number and watch["dated"]:
                return watch["from"]
        for watch in reversed(self.watches):
            if watch["number"] < number and watch["dated"]:
                return watch["from"] + watch["length"]
        return wall

    def passed(self, begin, end):
        """True seconds between two moments, None where nobody can know."""
        begin, end = tuple(begin), tuple(end)
        if end < begin:
            return None
        if begin[0] == end[0]:
            return end[1] - begin[1]
        numbers = [watch["number"] for watch in self.watches]
        if begin[0] not in numbers or end[0] not in numbers:
            return None
        count = sum(1 for _, second in self.seconds() if begin <= second < end)
        for watch in self.watches:
            if begin[0] < watch["number"] <= end[0]:
                if watch["after"] is None:
                    return None
                count += watch["after"]
        return count


def holds(stretch, second):
    """Whether a lived second is inside."""
    if "agreed" in stretch:
        return stretch["agreed"][0] <= second[1] < stretch["agreed"][1]
    return tuple(stretch["from"]) <= second and (stretch["to"] is None or second < tuple(stretch["to"]))


def holds_unlived(stretch, wall, clock):
    """Whether a second that the box did not live is inside."""
    if "agreed" in stretch:
        return stretch["agreed"][0] <= wall < stretch["agreed"][1]
    begin, end = stretch["from"], stretch["to"]
    if end is not None and tuple(end) < tuple(begin):
        return False
    return clock.filed(begin) <= wall and (end is None or wall < clock.filed(end))


def kind(device, second):
    """What one watched second was."""
    def inside(name):
        return any(holds(stretch, second) for stretch in device[name])

    if not inside("present"):
        return "absent"
    for name, is_called in [("unwatched", "unknown"), ("excluded", "excluded"), ("hidden", "hidden"), ("down", "down")]:
        if inside(name):
            return is_called
    return "up"


def count_time(past, clock):
    """Per device its seconds by kind; how many were watched, and how often a wall time came again."""
    begin, end = past["period"]["from"], past["period"]["to"]
    times = [Counter() for _ in past["devices"]]
    shown = Counter()
    for watch, second in clock.seconds():
        if watch["dated"] and begin <= second[1] < end:
            shown[second[1]] += 1
            for device, time in zip(past["devices"], times):
                time[kind(device, second)] += 1
    for wall in range(begin, end):
        if not shown[wall]:
            for device, time in zip(past["devices"], times):
                is_in = any(holds_unlived(stretch, wall, clock) for stretch in device["present"])
                time["unknown" if is_in else "absent"] += 1
    return times, sum(shown.values()), sum(times - 1 for times in shown.values() if times)


def in_groups(place):
    """The groups that a device belongs to, as (table, key)."""
    return [("all", "")] + [(table, place[field]) for table, field in GROUPS.items()]


def tabled(groups):
    """From {(table, key): figure} to {"all": figure, "classes": {key: figure}, …}."""
    told = {"all": groups["all", ""], **{table: {} for table in GROUPS}}
    for (table, key), figure in groups.items():
        if table != "all":
            told[table][key] = figure
    return told


def sum_time(past, times):
    groups = defaultdict(lambda: dict.fromkeys(["devices", "unseen", *KINDS], 0))
    groups["all", ""]
    for device, time in zip(past["devices"], times):
        in_site = sum(time[name] for name in KINDS if name != "absent")
        if in_site:
            for group in in_groups(device):
                groups[group]["devices"] += 1
                groups[group]["unseen"] += in_site == time["unknown"]
                for name in KINDS:
                    groups[group][name] += time[name]
    return tabled(groups)


def root_of(fault, faults):
    """The fault that it is hidden behind in the end, None if it stands for itself."""
    way = [fault["id"]]
    while faults[way[-1]]["behind"] in faults:
        way.append(faults[way[-1]]["behind"])
        if way[-1] in way[:-1]:
            return None
    return way[-1] if len(way) > 1 else None


def empty_tally():
    counts = ["carried_in", "new", "ended", "open", "withdrawn", "unacknowledged", "hidden"]
    means = {name: {"count": 0, "sum": 0, "unknown": 0} for name in ["acknowledgement", "repair"]}
    return {**dict.fromkeys(counts, 0), **means}


def measure(mean, seconds):
    mean["unknown" if seconds is None else "count"] += 1
    mean["sum"] += seconds or 0


def fault_figures(past, clock):
    begin, end = past["period"]["from"], past["period"]["to"]
    faults = {fault["id"]: fault for fault in past["faults"]}
    places = {device["id"]: device for device in past["devices"]}
    groups, severities, rules = (defaultdict(empty_tally) for _ in range(3))
    groups["all", ""]
    roots, again, worst = Counter(), defaultdict(list), {}
    for fault in faults.values():
        raised = clock.filed(fault["raised"])
        ended = math.inf if fault["ended"] is None else max(raised, clock.filed(fault["ended"]))
        if raised >= end or ended < begin:
            continue
        place = places.get(fault["device"])
        tallies = [groups[group] for group in (in_groups(place) if place else [("all", "")])]
        tallies += [severities[fault["severity"]], rules[fault["rule"]]]
        root = root_of(fault, faults)
        if root is not None:
            roots[root] += 1
            for tally in tallies:
                tally["hidden"] += 1
            continue
        if raised >= begin:
            again[fault["device"], fault["rule"]].append(fault)
        cleared = math.inf if fault["cleared"] is None else clock.filed(fault["cleared"])
        if ended >= end and cleared >= end:
            rank = SEVERITIES.index(fault["severity"])
            worst[fault["device"]] = min(rank, worst.get(fault["device"], rank))
        for tally in tallies:
            tally["new" if raised >= begin else "carried_in"] += 1
            tally["open" if ended >= end else "ended"] += 1
        if ended >= end:
            continue
        taken = {}
        if fault["acknowledged"] is not None:
            taken["acknowledgement"] = clock.passed(fault["raised"], fault["acknowledged"])
        if fault["ending"] != "withdrawn":
            taken["repair"] = clock.passed(fault["first_bad"], fault["cleared"] or fault["ended"])
        for tally in tallies:
            tally["unacknowledged"] += "acknowledgement" not in taken
            tally["withdrawn"] += "repair" not in taken
            for name, seconds in taken.items():
                measure(tally[name], seconds)
    repeats = [
        {
            "device": device,
            "rule": rule,
            "worst": min((fault["severity"] for fault in new), key=SEVERITIES.index),
            "numbers": sorted((fault["number"] for fault in new), key=lambda n: [int(x) for x in n.split("-")[1:]]),
        }
        for (device, rule), new in again.items() if len(new) > 1
    ]
    repeats.sort(key=lambda r: (-len(r["numbers"]), SEVERITIES.index(r["worst"]), r["device"], r["rule"]))
    told = {
        "groups": tabled(groups), "severities": severities, "rules": rules,
        "roots": {str(root): count for root, count in roots.items()},
        "repeats": repeats[:MOST_REPEATS], "repeats_left_off": max(0, len(repeats) - MOST_REPEATS),
    }
    return told, worst


def standings(past, clock, times, worst):
    end = past["period"]["to"]

    def at_end(stretch):
        if "agreed" in stretch:
            return stretch["agreed"][0] < end <= stretch["agreed"][1]
        is_over = stretch["to"] is not None and clock.filed(stretch["to"]) < end
        return clock.filed(stretch["from"]) < end and not is_over

    groups = defaultdict(lambda: dict.fromkeys(
        ["devices", "critical", "major", "lesser", "hidden", "unseen", "well"], 0))
    groups["all", ""]
    for device, time in zip(past["devices"], times):
        if not any(at_end(stretch) for stretch in device["present"]):
            continue
        if device["id"] in worst:
            stands = ["critical", "major", "lesser", "lesser", "lesser"][worst[device["id"]]]
        elif any(at_end(stretch) for stretch in device["hidden"]):
            stands = "hidden"
        else:
            stands = "well" if any(time[k] for k in ["excluded", "hidden", "down", "up"]) else "unseen"
        for group in in_groups(device):
            groups[group]["devices"] += 1
            groups[group][stands] += 1
    return tabled(groups)


def health(time, standing):
    """Score and deductions in tenths, or None."""
    if not time["up"] + time["down"]:
        return None
    in_site = sum(time[name] for name in KINDS if name != "absent")
    missing = Fraction(time["down"], time["up"] + time["down"])
    bad = Fraction(2 * standing["critical"] + standing["major"], max(1, standing["devices"]))
    dark = Fraction(time["unknown"] + time["hidden"], in_site)
    # Points per percent, times 100 percent, times 10 tenths.
    taken = [min(500, math.ceil(missing * 5 * 1000)), min(300, math.ceil(bad * 1000)), math.ceil(dark * 200)]
    return {"score": 1000 - sum(taken), "unavailable": taken[0], "faults": taken[1], "without_data": taken[2]}


def figures(past):
    clock = Clock(past["watches"])
    times, watched, repeated = count_time(past, clock)
    time = sum_time(past, times)
    faults, worst = fault_figures(past, clock)
    standing = standings(past, clock, times, worst)
    return {
        "watched": watched,
        "repeated": repeated,
        "devices": [{name: time[name] for name in KINDS} for time in times],
        "time": time,
        "faults": faults,
        "standing": standing,
        "health": {
            "all": health(time["all"], standing["all"]),
            **{table: {key: health(time[table][key], standing[table][key])
                       for key in time[table] if key in standing[table]} for table in GROUPS},
        },
    }


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as file:
        past = json.load(file)
    json.dump(figures(past), sys.stdout)
