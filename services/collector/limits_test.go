package collector

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/throughline-io/throughline/pipelines"
	"github.com/throughline-io/throughline/schemas/deadletter"
	"github.com/throughline-io/throughline/schemas/event"
)

// padded is a visit of a length.
func padded(id string, length int) string {
	s := visit(id)
	return strings.Replace(s, `"visit":{`, `"visit":{"title":"`+strings.Repeat("x", length-len(s)-len(`"title":"",`))+`",`, 1)
}

// TestLimits is every limit, at it and just past it. A refused request leaves nothing in Kafka.
func TestLimits(t *testing.T) {
	lines := func(n int) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(visit(fmt.Sprint(i)) + "\n")
		}
		return b.String()
	}
	long := strings.Repeat(" ", MaxRequestBytes-len(visit("1"))) + visit("1")
	for _, row := range []struct {
		name, contentType, encoding string
		body                        []byte
		status, accepted            int
		code                        string // of the request
		rejected                    string
	}{
		{"the largest event", jsonType, "", []byte(padded("1", event.MaxEventBytes)), 202, 1, "", ""},
		{"an event too large", jsonType, "", []byte("[" + padded("1", event.MaxEventBytes+1) + "," + visit("2") + "]"), 202, 1, "", "too_large"},
		{"an event as large as a request", jsonType, "", []byte(padded("1", MaxRequestBytes)), 400, 0, "too_large", "too_large"},
		{"the most items", ndjson, "", []byte(lines(MaxItems)), 202, MaxItems, "", ""},
		{"too many lines", ndjson, "", []byte(lines(MaxItems + 1)), 413, 0, "too_large", ""},
		{"too many elements", jsonType, "", []byte("[" + strings.Repeat("1,", MaxItems) + "1]"), 413, 0, "too_large", ""},
		{"too many objects", jsonType, "", []byte(strings.Repeat("{}", MaxItems+1)), 413, 0, "too_large", ""},
		{"the largest request", jsonType, "", []byte(long), 202, 1, "", ""},
		{"a request too large", jsonType, "", []byte(" " + long), 413, 0, "too_large", ""},
		{"the largest request, gzip", jsonType, "gzip", gzipped(t, long), 202, 1, "", ""},
		{"a bomb of gzip", jsonType, "gzip", gzipped(t, " "+long), 413, 0, "too_large", ""},
		{"a bomb of zstd", jsonType, "zstd", zstded(t, strings.Repeat(long, 20)), 413, 0, "too_large", ""},
		{"a window of zstd that is too large", jsonType, "zstd", zstded(t, long, zstd.WithWindowSize(16<<20), zstd.WithSingleSegment(false)), 413, 0, "too_large", ""},
		{"nothing", jsonType, "", nil, 400, 0, "bad_json", ""},
		{"blanks", jsonType, "", []byte(" \r\n\t"), 400, 0, "bad_json", ""},
		{"no elements", jsonType, "", []byte("[ ]"), 400, 0, "bad_json", ""},
		{"no lines", ndjson, "", []byte("\n\r\n"), 400, 0, "bad_json", ""},
		{"an encoding that is not taken", jsonType, "br", []byte("{}"), 415, 0, "bad_encoding", ""},
		{"gzip that is none", jsonType, "gzip", []byte("{}"), 400, 0, "bad_json", ""},
		{"gzip with a wrong sum", jsonType, "gzip", corrupt(gzipped(t, visit("1"))), 400, 0, "bad_json", ""},
		{"gzip cut short", jsonType, "gzip", gzipped(t, visit("1"))[:40], 400, 0, "bad_json", ""},
		{"zstd that is none", jsonType, "zstd", []byte("{}{}{}{}"), 400, 0, "bad_json", ""},
		{"zstd cut short", jsonType, "zstd", zstded(t, visit("1"))[:40], 400, 0, "bad_json", ""},
		{"zstd of nothing", jsonType, "zstd", nil, 400, 0, "bad_json", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := open(t)
			r := d.post(row.body, "Content-Type", row.contentType, "Content-Encoding", row.encoding)
			if r.status != row.status || r.Accepted != row.accepted || r.codes() != row.rejected || (r.Error != nil && string(r.Error.Code) != row.code) {
				t.Errorf("%d, %.300s; want %d, %d accepted, rejected %q, error %q", r.status, r.text, row.status, row.accepted, row.rejected, row.code)
			}
			if events := d.records(pipelines.TopicEvents); len(events) != row.accepted {
				t.Errorf("Kafka has %d events of %d", len(events), row.accepted)
			}
			dead := d.records(pipelines.TopicDead)
			if len(dead) != len(r.Rejected) {
				t.Errorf("there are %d dead letters of %d rejected items", len(dead), len(r.Rejected))
			}
			for _, record := range dead {
				l, err := deadletter.Decode(record.Value)
				if err != nil {
					t.Fatal(err)
				}
				if item, err := l.Open([]byte("pepper")); err != nil || !strings.Contains(string(row.body), string(item)) {
					t.Errorf("%d bytes were kept, %v", len(item), err)
				}
			}
			if held := testutil.ToFloat64(d.metrics.bytes) + testutil.ToFloat64(d.metrics.requests); held != 0 {
				t.Errorf("%v is still reserved", held)
			}
		})
	}
}

// corrupt breaks the checksum of gzip.
func corrupt(b []byte) []byte {
	b[len(b)-5] ^= 1
	return b
}

// TestTooMuchAtOnce checks the limits of what is handled at once.
func TestTooMuchAtOnce(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(*Config)
		hold   func(*door) (release func())
	}{
		{"requests", func(c *Config) { c.MaxRequests = 1 }, func(d *door) func() {
			conn := d.begin("[")
			d.await("the first request", func() bool { return testutil.ToFloat64(d.metrics.requests) == 1 })
			return func() {
				_ = conn.Close()
				d.await("its end", func() bool { return testutil.ToFloat64(d.metrics.requests) == 0 })
			}
		}},
		{"bytes", func(c *Config) { c.MaxBodyBytes = oneRequest }, func(d *door) func() {
			if !d.memory.bytes.TryAcquire(oneRequest - firstBytes + 1) {
				d.Fatal("it is reserved already")
			}
			return func() { d.memory.bytes.Release(oneRequest - firstBytes + 1) }
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := open(t, row.change)
			release := row.hold(d)
			r := d.post([]byte(visit("1")))
			if r.status != http.StatusTooManyRequests || r.header.Get("Retry-After") != "1" || r.Error.Code != "busy" {
				t.Errorf("%d, %v, %s", r.status, r.header, r.text)
			}
			if n := testutil.ToFloat64(d.metrics.refused.WithLabelValues("busy")); n != 1 {
				t.Errorf("%v refusals are counted", n)
			}
			release()
			if r := d.post([]byte(visit("1"))); r.status != http.StatusAccepted || r.Accepted != 1 {
				t.Errorf("afterwards: %d, %s", r.status, r.text)
			}
		})
	}
}

// begin sends the start of a request and leaves it there.
func (d *door) begin(body string) net.Conn {
	d.Helper()
	conn, err := net.Dial("tcp", d.server.Listener.Addr().String())
	if err != nil {
		d.Fatal(err)
	}
	d.Cleanup(func() { _ = conn.Close() })
	if _, err := fmt.Fprintf(conn, "POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sk_shop\r\nContent-Length: %d\r\n\r\n%s", MaxRequestBytes, body); err != nil {
		d.Fatal(err)
	}
	return conn
}

// TestSlowSender checks that who sends a byte now and then is let go, and holds no more than it sent.
func TestSlowSender(t *testing.T) {
	d := open(t)
	conn := d.begin("[")
	d.await("the body's beginning", func() bool { return testutil.ToFloat64(d.metrics.bytes) > 0 })
	if held := testutil.ToFloat64(d.metrics.bytes); held != firstBytes {
		t.Errorf("one byte that came holds %v", held)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusRequestTimeout {
		t.Errorf("answer %d", res.StatusCode)
	}
	d.await("its end", func() bool { return testutil.ToFloat64(d.metrics.bytes) == 0 })
}

// TestTooLargeIsTold checks that a sender which reads nothing before it has sent everything, as most do, gets the answer and not a
// broken connection.
func TestTooLargeIsTold(t *testing.T) {
	d := open(t)
	for _, row := range []struct{ name, length string }{
		{"announced", fmt.Sprintf("Content-Length: %d", MaxRequestBytes+8<<20)},
		{"in chunks", "Transfer-Encoding: chunked"},
	} {
		t.Run(row.name, func(t *testing.T) {
			conn, err := net.Dial("tcp", d.server.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := fmt.Fprintf(conn, "POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sk_shop\r\n%s\r\n\r\n", row.length); err != nil {
				t.Fatal(err)
			}
			block := strings.Repeat(" ", 1<<20)
			head, tail := "", ""
			if strings.HasPrefix(row.length, "T") {
				head, tail = fmt.Sprintf("%x\r\n", len(block)), "\r\n"
			}
			for range (MaxRequestBytes + 8<<20) / len(block) {
				if _, err := conn.Write([]byte(head + block + tail)); err != nil {
					t.Fatalf("cut off while sending: %v", err)
				}
			}
			if head != "" {
				if _, err := conn.Write([]byte("0\r\n\r\n")); err != nil {
					t.Fatal(err)
				}
			}
			res, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			if res.StatusCode != http.StatusRequestEntityTooLarge {
				t.Errorf("answer %d", res.StatusCode)
			}
		})
	}
}
