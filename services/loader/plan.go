package loader

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
)

// span is the records of one partition that a batch holds: offsets first to last, both included.
type span struct {
	topic       string
	partition   int32
	first, last int64
}

// plan is what a batch consists of, in order of topic and partition. It may cover many partitions, so that a small
// deployment makes few inserts; whoever has any of them after a crash can finish it, since reading is no ownership.
type plan []span

// planVersion begins a plan in an offset's metadata.
const planVersion = "v1"

// maxMetadata bounds a plan's text: brokers refuse longer metadata than offset.metadata.max.bytes, 4096 by default.
const maxMetadata = 2048

// planOf is the plan of items as they were polled.
func planOf(items []item) plan {
	type key struct {
		topic     string
		partition int32
	}
	at := map[key]int{}
	var p plan
	for _, item := range items {
		r := item.record
		k := key{r.Topic, r.Partition}
		i, ok := at[k]
		if !ok {
			i = len(p)
			at[k] = i
			p = append(p, span{r.Topic, r.Partition, r.Offset, r.Offset})
		}
		p[i].first, p[i].last = min(p[i].first, r.Offset), max(p[i].last, r.Offset)
	}
	slices.SortFunc(p, func(a, b span) int {
		return cmp.Or(cmp.Compare(a.topic, b.topic), cmp.Compare(a.partition, b.partition))
	})
	return p
}

// parts cuts a plan over very many partitions into plans whose text is at most limit long, or of one span.
func (p plan) parts(limit int) []plan {
	if len(p) < 2 || len(p.String()) <= limit {
		return []plan{p}
	}
	half := len(p) / 2
	return append(p[:half].parts(limit), p[half:].parts(limit)...)
}

// has reports that the plan holds records of a partition.
func (p plan) has(topic string, partition int32) bool {
	return slices.ContainsFunc(p, func(s span) bool { return s.topic == topic && s.partition == partition })
}

// covers reports that a record is of the plan.
func (p plan) covers(r *kgo.Record) bool {
	return slices.ContainsFunc(p, func(s span) bool {
		return s.topic == r.Topic && s.partition == r.Partition && s.first <= r.Offset && r.Offset <= s.last
	})
}

// String is the plan as it stands in an offset's metadata.
func (p plan) String() string {
	var b strings.Builder
	b.WriteString(planVersion)
	topic := ""
	for _, s := range p {
		if s.topic != topic {
			topic = s.topic
			b.WriteString(" " + topic)
		}
		// The length is far shorter than the last offset would be.
		fmt.Fprintf(&b, " %d:%d+%d", s.partition, s.first, s.last-s.first)
	}
	return b.String()
}

// parsePlan reads what String wrote. Nothing planned is no plan.
func parsePlan(s string) (plan, error) {
	if s == "" {
		return nil, nil
	}
	words := strings.Fields(s)
	if words[0] != planVersion {
		return nil, fmt.Errorf("a plan of a version that is not known here: %.60q", s)
	}
	var p plan
	topic := ""
	for _, w := range words[1:] {
		if !strings.Contains(w, ":") {
			topic = w
			continue
		}
		one, err := parseSpan(topic, w)
		if err != nil {
			return nil, fmt.Errorf("a plan that cannot be read: %.60q: %w", s, err)
		}
		p = append(p, one)
	}
	return p, nil
}

func parseSpan(topic, w string) (span, error) {
	id, rest, _ := strings.Cut(w, ":")
	first, length, _ := strings.Cut(rest, "+")
	n, err1 := strconv.ParseInt(id, 10, 32)
	from, err2 := strconv.ParseInt(first, 10, 64)
	size, err3 := strconv.ParseInt(length, 10, 64)
	if err := cmp.Or(err1, err2, err3); err != nil {
		return span{}, err
	}
	if topic == "" || n < 0 || from < 0 || size < 0 {
		return span{}, fmt.Errorf("span %q", w)
	}
	return span{topic, int32(n), from, from + size}, nil
}

// token names the batch: the same plan has the same rows.
func (p plan) token() string {
	sum := sha256.Sum256([]byte(p.String()))
	return hex.EncodeToString(sum[:16])
}
