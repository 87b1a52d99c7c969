//go:build linux

// Command load measures what a relay costs: CPU for each delivery, memory for each member, and whether anything is lost,
// doubled or out of order. It starts the servers itself, on loopback, one at a time and in turn, so that whatever else the
// machine does falls on all of them; docs/PERFORMANCE.md says what the figures mean.
//
//	go build -o /tmp/snug . && go run ./load -snug /tmp/snug -rounds 3 fanout
//
// Everything is read from outside: CPU and memory from /proc, the rest at the sockets of the readers.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

func run() error {
	var o options
	flag.StringVar(&o.binary, "snug", "", "the snug binary to measure; without it: it is built")
	flag.StringVar(&o.targets, "targets", "", "servers, by comma; without it those the scenario compares: "+strings.Join(targetNames, " "))
	flag.IntVar(&o.rounds, "rounds", 3, "how often each server has its turn; the tables show medians")
	flag.DurationVar(&o.time, "time", 8*time.Second, "how long the messages of a turn flow")
	flag.IntVar(&o.crowd, "members", 5000, "members of the scenarios idle and rejoin")
	flag.IntVar(&o.payload, "payload", 400, "bytes of a message as its readers see it, a multiple of 4")
	flag.DurationVar(&o.limit, "limit", 30*time.Minute, "when to give up")
	flag.StringVar(&o.flags, "flags", "", "more flags for snug, by space")
	serve := flag.String("serve", "", "be a server to compare with: r3labs")
	addr := flag.String("addr", "127.0.0.1:0", "where to listen, with -serve")
	flag.Usage = func() {
		fmt.Fprintf(flag.CommandLine.Output(), "usage: load [flags] SCENARIO...\n\n")
		for _, s := range scenarios {
			fmt.Fprintf(flag.CommandLine.Output(), "  %-9s %s\n", s.name, s.what)
		}
		fmt.Fprintln(flag.CommandLine.Output())
		flag.PrintDefaults()
	}
	flag.Parse()
	if *serve == "r3labs" {
		return serveR3labs(*addr)
	}
	if flag.NArg() == 0 || o.payload%4 != 0 || o.payload < 400 {
		flag.Usage()
		return fmt.Errorf("want a scenario, and a payload of 400 bytes or more, a multiple of 4: the smallest frame")
	}
	if o.crowd < 25 || o.rounds < 1 || o.time <= 0 {
		return fmt.Errorf("want 25 members or more, which are a room, a round and some time")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, o.limit)
	defer cancel()
	if err := o.build(ctx); err != nil {
		return err
	}
	defer os.RemoveAll(o.dir)
	for _, name := range flag.Args() {
		i := slices.IndexFunc(scenarios, func(s scenario) bool { return s.name == name })
		if i < 0 {
			return fmt.Errorf("no scenario %q", name)
		}
		if err := o.compare(ctx, scenarios[i]); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	o.summary.print()
	return nil
}

// options are the command line, static after run has filled them in, and what has come of it so far.
type options struct {
	binary, targets, flags string
	rounds, crowd, payload int
	time, limit            time.Duration
	dir                    string // for what the servers need; removed at the end
	summary                summary
}

// compare gives each server its turns, one after the other, and prints the medians.
func (o *options) compare(ctx context.Context, s scenario) error {
	names := s.targets
	if o.targets != "" {
		names = strings.Split(o.targets, ",")
	}
	results := make([][]result, len(names))
	fmt.Printf("\n## %s: %s\n\nload average before: %s\n\n", s.name, s.what, loadAverage())
	for round := range o.rounds {
		for i, name := range names {
			t, err := o.target(name, s)
			if err != nil {
				return err
			}
			if t == nil {
				if round == 0 {
					fmt.Printf("%s is not installed\n", name)
				}
				continue
			}
			r, err := s.turn(ctx, o, t)
			t.stop()
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			results[i] = append(results[i], r)
			fmt.Fprintf(os.Stderr, "%s %d %-14s %s\n", s.name, round, name, r)
		}
	}
	printTable(names, results)
	o.summary.add(s.name, names, results)
	return nil
}
