package loader

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
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

// planOf is the plan of records as they were polled.
func planOf(records []*kgo.Record) plan {
	type key struct {
		topic     string
		partition int32
	}
	at := map[key]int{}
	var p plan
	for _, r := range records {
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

// inOrder sorts records by topic, partition and offset: a batch's rows are a function of its plan.
func inOrder(records []*kgo.Record) []*kgo.Record {
	slices.SortFunc(records, func(a, b *kgo.Record) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Offset, b.Offset))
	})
	return records
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

// phase is what a commit says of a plan.
type phase int

const (
	planned phase = iota // offsets stay, the plan beside them
	done                 // offsets after the plan, nothing beside them
)

// commit writes all offsets of a plan in one request, which the group's coordinator appends as one batch. Whatever
// partition it refuses fails the whole.
func (l *Loader) commit(ctx context.Context, p plan, ph phase) error {
	offsets := map[string]map[int32]kgo.EpochOffset{}
	for _, s := range p {
		if offsets[s.topic] == nil {
			offsets[s.topic] = map[int32]kgo.EpochOffset{}
		}
		at := s.first
		if ph == done {
			at = s.last + 1
		}
		offsets[s.topic][s.partition] = kgo.EpochOffset{Epoch: -1, Offset: at}
	}
	metadata := ""
	if ph == planned {
		metadata = p.String()
	}
	ctx = kgo.PreCommitFnContext(ctx, func(r *kmsg.OffsetCommitRequest) error {
		for i := range r.Topics {
			for j := range r.Topics[i].Partitions {
				r.Topics[i].Partitions[j].Metadata = &metadata
			}
		}
		return nil
	})
	var failure error
	l.client.CommitOffsetsSync(ctx, offsets, func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, res *kmsg.OffsetCommitResponse, err error) {
		failure = cmp.Or(err, commitErrors(res))
	})
	return cmp.Or(failure, l.cfg.trace([]string{"planned", "done"}[ph]))
}
