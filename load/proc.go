//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// ticksPerSecond is what /proc counts CPU time in: USER_HZ, 100 on every Linux that Go runs on.
const ticksPerSecond = 100

// usage is what processes have used so far.
type usage struct {
	cpu time.Duration
	rss int64 // bytes
}

// usageOf adds up the processes.
func usageOf(pids []int) (sum usage, err error) {
	for _, pid := range pids {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return sum, err
		}
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+2:]))
		user, _ := strconv.ParseInt(fields[11], 10, 64)
		system, _ := strconv.ParseInt(fields[12], 10, 64)
		sum.cpu += time.Duration(user+system) * time.Second / ticksPerSecond
		pages, _ := strconv.ParseInt(fields[21], 10, 64)
		sum.rss += pages * int64(os.Getpagesize())
	}
	return sum, nil
}

// children lists a process and those it has started.
func children(pid int) []int {
	pids := []int{pid}
	list, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	for _, f := range strings.Fields(string(list)) {
		if n, err := strconv.Atoi(f); err == nil {
			pids = append(pids, children(n)...)
		}
	}
	return pids
}

func loadAverage() string {
	b, _ := os.ReadFile("/proc/loadavg")
	f := strings.Fields(string(b))
	return strings.Join(f[:min(3, len(f))], " ")
}
