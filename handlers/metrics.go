package handlers

import (
	"strconv"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"snug/hub"
)

// metrics counts what the relay does. Labels come from fixed lists only: route patterns, methods, status classes, codes, reasons.
type metrics struct {
	requests, refused, ended *prometheus.CounterVec
	panics, unsent           prometheus.Counter
	serverErrors             *prometheus.CounterVec
	known                    sync.Map                // of requestLabels to prometheus.Counter: finding a counter by its labels costs more than counting
	kinds                    map[string]*kindMetrics // by kind of reader; static
	all                      []prometheus.Collector
}

// requestLabels are the labels of a request. There are few, as there are few routes.
type requestLabels struct {
	route, method string
	class         int
}

// kindMetrics are the counters of one kind of reader, looked up once, because streams touch them at every write.
type kindMetrics struct {
	open                prometheus.Gauge
	deliveries, flushes prometheus.Counter
}

// Kinds of readers, as labels.
const (
	kindStream = "stream"
	kindOctets = "octet-stream"
	kindBatch  = "batch"
	kindPoll   = "poll"
)

func newMetrics(h hub.Hub) *metrics {
	m := &metrics{
		requests: counters("snug_requests_total", "Requests answered.", "route", "method", "class"),
		refused:  counters("snug_refusals_total", "Requests refused.", "code"),
		ended:    counters("snug_streams_ended_total", "Streams and batches ended.", "reason"),
		panics: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "snug_panics_total", Help: "Handlers that panicked."}),
		unsent: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "snug_answers_unsent_total", Help: "Answers that nobody waited for to the end."}),
		serverErrors: counters("snug_server_errors_total", "Errors of the HTTP server outside any request.", "reason"),
		kinds:        map[string]*kindMetrics{},
	}
	open := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "snug_readers", Help: "Streams, batches and polls open now."}, []string{"kind"})
	deliveries := counters("snug_deliveries_total", "Events of the log written to readers.", "kind")
	flushes := counters("snug_flushes_total", "Writes to readers.", "kind")
	for _, kind := range []string{kindStream, kindOctets, kindBatch, kindPoll} {
		m.kinds[kind] = &kindMetrics{open.WithLabelValues(kind), deliveries.WithLabelValues(kind), flushes.WithLabelValues(kind)}
	}
	m.all = []prometheus.Collector{m.requests, m.refused, m.ended, m.panics, m.unsent, m.serverErrors, open, deliveries, flushes, newHubCollector(h)}
	return m
}

func counters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
}

func (m *metrics) register(r prometheus.Registerer) error {
	if r == nil {
		return nil
	}
	for _, c := range m.all {
		if err := r.Register(c); err != nil {
			return err
		}
	}
	return nil
}

func (m *metrics) request(route, method string, status int) {
	key := requestLabels{route, method, status / 100}
	c, ok := m.known.Load(key)
	if !ok {
		c, _ = m.known.LoadOrStore(key, m.requests.WithLabelValues(route, method, strconv.Itoa(status/100)+"xx"))
	}
	c.(prometheus.Counter).Inc()
}

// hubCollector shows hub.Stats, asked once for each scrape.
type hubCollector struct {
	hub   hub.Hub
	plain []hubMetric
	letGo *prometheus.Desc
}

type hubMetric struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(hub.Stats) float64
}

func newHubCollector(h hub.Hub) *hubCollector {
	gauge := func(name, help string, value func(hub.Stats) float64) hubMetric {
		return hubMetric{prometheus.NewDesc(name, help, nil, nil), prometheus.GaugeValue, value}
	}
	counter := func(name, help string, value func(hub.Stats) float64) hubMetric {
		return hubMetric{prometheus.NewDesc(name, help, nil, nil), prometheus.CounterValue, value}
	}
	return &hubCollector{
		hub: h,
		plain: []hubMetric{
			gauge("snug_rooms", "Rooms with members.", func(s hub.Stats) float64 { return float64(s.Rooms) }),
			gauge("snug_members", "Members of all rooms.", func(s hub.Stats) float64 { return float64(s.Members) }),
			gauge("snug_members_away", "Members who are away.", func(s hub.Stats) float64 { return float64(s.Away) }),
			gauge("snug_subscriptions", "Subscriptions to rooms.", func(s hub.Stats) float64 { return float64(s.Subscriptions) }),
			gauge("snug_messages_held", "Messages held.", func(s hub.Stats) float64 { return float64(s.Messages) }),
			gauge("snug_chunks_held", "Chunks of files held.", func(s hub.Stats) float64 { return float64(s.Chunks) }),
			gauge("snug_bytes_held", "Bytes held, with what they cost to keep.", func(s hub.Stats) float64 { return float64(s.Bytes) }),
			counter("snug_messages_posted_total", "Messages posted.", func(s hub.Stats) float64 { return float64(s.Posted) }),
			counter("snug_messages_freed_total", "Messages freed.", func(s hub.Stats) float64 { return float64(s.Freed) }),
			counter("snug_messages_expired_total", "Messages freed by time before everybody had them.", func(s hub.Stats) float64 { return float64(s.Expired) }),
			counter("snug_chunks_dropped_total", "Chunks freed before everybody who wanted them had them.", func(s hub.Stats) float64 { return float64(s.ChunksDropped) }),
		},
		letGo: prometheus.NewDesc("snug_members_let_go_total", "Members no longer in their room.", []string{"reason"}, nil),
	}
}

// Describe implements prometheus.Collector.
func (h *hubCollector) Describe(out chan<- *prometheus.Desc) {
	for _, m := range h.plain {
		out <- m.desc
	}
	out <- h.letGo
}

// Collect implements prometheus.Collector.
func (h *hubCollector) Collect(out chan<- prometheus.Metric) {
	stats := h.hub.Stats()
	for _, m := range h.plain {
		out <- prometheus.MustNewConstMetric(m.desc, m.kind, m.value(stats))
	}
	for reason, n := range stats.LetGo {
		out <- prometheus.MustNewConstMetric(h.letGo, prometheus.CounterValue, float64(n), reason)
	}
}
