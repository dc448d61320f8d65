package httpserver

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	seconds  *prometheus.HistogramVec
	inFlight prometheus.Gauge
	panics   prometheus.Counter
}

func newMetrics(r prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "throughline_http_request_seconds", Help: "Time to answer a request, by method and status.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 90},
		}, []string{"method", "status"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "throughline_http_requests_in_flight", Help: "Requests that are being answered.",
		}),
		panics: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "throughline_http_panics_total", Help: "Handlers that panicked; each is a fault of the program.",
		}),
	}
	return m, errors.Join(r.Register(m.seconds), r.Register(m.inFlight), r.Register(m.panics))
}

// measure counts by method and status alone: a path would give a label to every address that a scanner tries.
func (m *metrics) measure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.inFlight.Inc()
		defer m.inFlight.Dec()
		started, out := time.Now(), &recorder{ResponseWriter: w}
		next.ServeHTTP(out, r)
		m.seconds.WithLabelValues(method(r.Method), strconv.Itoa(out.code())).Observe(time.Since(started).Seconds())
	})
}

func method(s string) string {
	switch s {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodOptions, http.MethodPut, http.MethodDelete:
		return s
	}
	return "other"
}

// recorder remembers what was answered.
type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 && status >= http.StatusOK { // 1xx come before the answer
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(b)
}

func (r *recorder) code() int {
	if r.status == 0 {
		return http.StatusOK
	}
	return r.status
}

// Unwrap lets http.ResponseController reach the connection's own writer: deadlines and flushes of long answers.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
