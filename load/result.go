//go:build linux

package main

import (
	"fmt"
	"slices"
	"strings"
)

// result is what a turn has shown, in the order of the columns.
type result struct {
	names  []string
	values []float64
}

func (r *result) set(name string, v float64) {
	r.names, r.values = append(r.names, name), append(r.values, v)
}

func (r result) String() string {
	var b strings.Builder
	for i, n := range r.names {
		fmt.Fprintf(&b, "%s %s  ", n, number(r.values[i]))
	}
	return b.String()
}

func number(v float64) string {
	switch {
	case v == float64(int64(v)):
		return fmt.Sprintf("%d", int64(v))
	case v < 100:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.0f", v)
}

// printTable prints the median of each column, and the CPU and memory as ratios to the last servers of the list.
func printTable(names []string, results [][]result) {
	var head []string
	for _, rs := range results {
		if len(rs) > 0 {
			head = rs[0].names
			break
		}
	}
	if head == nil {
		return
	}
	fmt.Printf("| server | %s |\n|---|%s\n", strings.Join(head, " | "), strings.Repeat("---:|", len(head)))
	medians := map[string][]float64{}
	for i, rs := range results {
		if len(rs) == 0 {
			continue
		}
		row := make([]string, len(head))
		for col := range head {
			var values []float64
			for _, r := range rs {
				if col < len(r.values) { // snug has some more
					values = append(values, r.values[col])
				}
			}
			if len(values) == 0 {
				continue
			}
			slices.Sort(values)
			m := values[len(values)/2]
			medians[names[i]] = append(medians[names[i]], m)
			row[col] = number(m)
			if len(values) > 1 && (head[col] == "µs/delivery" || head[col] == "posts/s" || head[col] == "KB/member") {
				row[col] += fmt.Sprintf(" (%s–%s)", number(values[0]), number(values[len(values)-1]))
			}
		}
		fmt.Printf("| %s | %s |\n", names[i], strings.Join(row, " | "))
	}
	for _, base := range []string{"nchan", "r3labs"} {
		if medians[base] == nil {
			continue
		}
		for col, name := range head {
			if name != "µs/delivery" && name != "posts/s" && name != "KB/member" {
				continue
			}
			var parts []string
			for _, n := range names {
				if medians[n] != nil && n != base {
					parts = append(parts, fmt.Sprintf("%s %.2f", n, medians[n][col]/medians[base][col]))
				}
			}
			fmt.Printf("\n%s, %s = 1: %s\n", name, base, strings.Join(parts, " · "))
		}
	}
	fmt.Printf("\nload average after: %s\n", loadAverage())
}

// compared are the figures that servers are compared by.
var compared = []string{"µs/delivery", "posts/s", "KB/member", "s until all stream", "growth %", "RSS MB", "stalled closed", "lost"}

// summary is the table for docs/PERFORMANCE.md: a row for each scenario and figure, with medians, extremes and ratios.
type summary struct{ rows []string }

var columns = []string{"snug-b", "snug-b-acks", "snug-a", "nchan", "r3labs"}

func (s *summary) add(scenario string, names []string, results [][]result) {
	for _, figure := range compared {
		row, found := fmt.Sprintf("| %s, %s |", scenario, figure), false
		medians := map[string]float64{}
		for _, c := range columns {
			values := valuesOf(figure, c, names, results)
			if len(values) == 0 {
				row += " |"
				continue
			}
			found = true
			medians[c] = values[len(values)/2]
			row += fmt.Sprintf(" %s (%s–%s) |", number(medians[c]), number(values[0]), number(values[len(values)-1]))
		}
		for _, ratio := range [][2]string{{"snug-b", "nchan"}, {"snug-b-acks", "nchan"}, {"snug-b", "r3labs"}} {
			if of, to := medians[ratio[0]], medians[ratio[1]]; to != 0 && of != 0 && figure != "RSS MB" {
				row += fmt.Sprintf(" %.2f |", of/to)
			} else {
				row += " |"
			}
		}
		if found {
			s.rows = append(s.rows, row)
		}
	}
}

// valuesOf lists a figure of a server in all rounds, sorted.
func valuesOf(figure, server string, names []string, results [][]result) (values []float64) {
	for i, name := range names {
		for _, r := range results[i] {
			if at := slices.Index(r.names, figure); name == server && at >= 0 {
				values = append(values, r.values[at])
			}
		}
	}
	slices.Sort(values)
	return values
}

func (s *summary) print() {
	fmt.Printf("\n## All of it: median (least–most)\n\n| scenario | %s | b × nchan | b-acks × nchan | b × r3labs |\n|---|%s\n%s\n",
		strings.Join(columns, " | "), strings.Repeat("---:|", len(columns)+3), strings.Join(s.rows, "\n"))
}

// percentile returns the share'th part of the sorted list, in milliseconds.
func percentile(sorted []uint32, share float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return float64(sorted[min(len(sorted)-1, int(share*float64(len(sorted))))]) / 1000
}
