package items

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"
)

// form reads application/x-www-form-urlencoded.
func (s *stream) form(in io.Reader) {
	b, err := s.all(in)
	if err != nil {
		s.fail(err)
		return
	}
	s.pairs(string(b))
}

func (s *stream) pairs(text string) {
	if text == "" {
		s.fail(errEmpty)
		return
	}
	root := &nest{}
	n := 0
	for pair := range strings.SplitSeq(text, "&") {
		if pair == "" {
			continue
		}
		if n++; n > MaxFields {
			s.fail(beyond("fields", MaxFields))
			return
		}
		name, value, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(name)
		if err == nil {
			value, err = url.QueryUnescape(value)
		}
		if err == nil {
			err = root.put(name, s.inUTF8(value))
		}
		if err != nil {
			s.fail(err)
			return
		}
	}
	s.item(root.value(), nil)
}

// inUTF8 decodes a field's bytes by the format's encoding.
func (s *stream) inUTF8(value string) string {
	if e, err := encodingNamed(s.format.Encoding); err == nil && s.format.Encoding != "" {
		if t, err := e.NewDecoder().String(value); err == nil {
			value = t
		}
	}
	return strings.ToValidUTF8(value, "\ufffd")
}

// nest is a tree of fields that are named as PHP does: leads[status][0][id], tags[].
type nest struct {
	leaf  any
	names []string // in the order they came
	of    map[string]*nest
}

func (n *nest) put(name string, leaf any) error {
	at := n
	steps := fieldSteps(name)
	if len(steps) > MaxDepth {
		return beyond("levels of nesting", MaxDepth)
	}
	for _, s := range steps {
		if s == "" {
			s = strconv.Itoa(len(at.of))
		}
		next := at.of[s]
		if next == nil {
			if at.of == nil {
				at.of = map[string]*nest{}
			}
			next = &nest{}
			at.of[s] = next
			at.names = append(at.names, s)
		}
		at = next
	}
	if at.of != nil {
		return fmt.Errorf("the field %.60q is a value and a list", name)
	}
	at.leaf = leaf // the last one stands, as in PHP
	return nil
}

// fieldSteps are a, b and c of a[b][c]; brackets that do not add up are part of the name.
func fieldSteps(name string) []string {
	head, rest, ok := strings.Cut(name, "[")
	if !ok || head == "" || !strings.HasSuffix(rest, "]") {
		return []string{name}
	}
	steps := append([]string{head}, strings.Split(strings.TrimSuffix(rest, "]"), "][")...)
	for _, s := range steps[1:] {
		if strings.ContainsAny(s, "[]") {
			return []string{name}
		}
	}
	return steps
}

// value is the tree as JSON: fields 0, 1, 2 … are a list, whatever order they came in.
func (n *nest) value() any {
	if n.of == nil && n.leaf != nil {
		return n.leaf
	}
	list := make([]any, len(n.of))
	isList := len(n.of) > 0
	for i := range list {
		e, ok := n.of[strconv.Itoa(i)]
		if isList = isList && ok; !isList {
			break
		}
		list[i] = e.value()
	}
	if isList {
		return list
	}
	object := make(map[string]any, len(n.of))
	for _, name := range n.names {
		object[strings.ToValidUTF8(name, "\ufffd")] = n.of[name].value()
	}
	return object
}

// multipart reads multipart/form-data: fields as in a form; a file is an object with its name, type and content.
func (s *stream) multipart(in io.Reader) {
	_, params, err := mime.ParseMediaType(s.in.ContentType)
	if err != nil || params["boundary"] == "" {
		s.fail(fmt.Errorf("the content type %.60q names no boundary", s.in.ContentType))
		return
	}
	b, err := s.all(in)
	if err == nil && !bytes.Contains(b, []byte("--"+params["boundary"]+"--")) {
		err = errors.New("it ends before its last boundary")
	}
	if err != nil {
		s.fail(err)
		return
	}
	r := multipart.NewReader(bytes.NewReader(b), params["boundary"])
	root := &nest{}
	for n := 0; ; n++ {
		part, err := r.NextPart()
		if err == io.EOF { //nolint:errorlint // NextPart says it is io.EOF itself; a wrapped one is an end inside a part
			break
		}
		if err == nil && n >= MaxFields {
			err = beyond("parts", MaxFields)
		}
		var content []byte
		if err == nil {
			content, err = io.ReadAll(part)
		}
		if err == nil {
			err = root.put(part.FormName(), partValue(part, content))
		}
		if err != nil {
			s.fail(err)
			return
		}
	}
	s.item(root.value(), nil)
}

func partValue(part *multipart.Part, content []byte) any {
	text := strings.ToValidUTF8(string(content), "\ufffd")
	if part.FileName() == "" {
		return text
	}
	file := map[string]any{"filename": part.FileName(), "content_type": part.Header.Get("Content-Type"), "content": nil}
	if utf8.Valid(content) {
		file["content"] = text
	}
	return file
}
