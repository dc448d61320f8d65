// Package wiretest holds hand-written codecs to their .proto file. Tests alone import it.
package wiretest

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/bufbuild/protocompile"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
)

// Schema is a compiled message of a .proto file.
type Schema struct {
	message protoreflect.MessageDescriptor
}

// Compile reads a .proto file of the test's folder.
func Compile(t testing.TB, file, message string) Schema {
	t.Helper()
	c := protocompile.Compiler{Resolver: &protocompile.SourceResolver{}}
	files, err := c.Compile(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	m := files[0].Messages().ByName(protoreflect.Name(message))
	if m == nil {
		t.Fatalf("%s has no message %s", file, message)
	}
	return Schema{m}
}

// Agree wants bytes to mean the same to the .proto file as the JSON (protobuf's) does, down to the last field, and returns
// the bytes that protobuf itself would have written.
func (s Schema) Agree(t testing.TB, wire []byte, json string) []byte {
	t.Helper()
	got, want := s.Known(t, wire), dynamicpb.NewMessage(s.message)
	if err := protojson.Unmarshal([]byte(json), want); err != nil {
		t.Fatal(err)
	}
	if !proto.Equal(got, want) {
		t.Fatalf("got  %s\nwant %s", protojson.Format(got), protojson.Format(want))
	}
	b, err := proto.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Known reads bytes by the .proto file and wants it to know every field.
func (s Schema) Known(t testing.TB, wire []byte) proto.Message {
	t.Helper()
	m := dynamicpb.NewMessage(s.message)
	if err := proto.Unmarshal(wire, m); err != nil {
		t.Fatal(err)
	}
	if err := unknown(m); err != nil {
		t.Fatal(err)
	}
	return m
}

// unknown names a field that was written and that the .proto file does not have.
func unknown(m protoreflect.Message) (err error) {
	if len(m.GetUnknown()) > 0 {
		return fmt.Errorf("%s has a field that the file does not know", m.Descriptor().FullName())
	}
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.Message() == nil || f.IsMap():
		case f.IsList():
			for i := range v.List().Len() {
				if err == nil {
					err = unknown(v.List().Get(i).Message())
				}
			}
		default:
			err = unknown(v.Message())
		}
		return err == nil
	})
	return err
}

// Fill sets every field of the struct that v points to, each to another value, lists to two items: a codec that forgets a
// field or swaps two cannot read back what it wrote.
func Fill(v any) {
	n := 0
	fill(reflect.ValueOf(v).Elem(), &n)
}

func fill(v reflect.Value, n *int) {
	*n++
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() { // what is not exported does not travel
				fill(v.Field(i), n)
			}
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(v.Index(i), n)
		}
	case reflect.Array:
		for i := range v.Len() {
			if v.Type().Elem().Kind() == reflect.Uint8 { // an id
				v.Index(i).SetUint(uint64(*n+i) % 251)
			} else {
				fill(v.Index(i), n)
			}
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range 2 {
			key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			fill(key, n)
			fill(value, n)
			v.SetMapIndex(key, value)
		}
	case reflect.String:
		v.SetString(fmt.Sprintf("text %d", *n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(int64(*n) * []int64{1, -1}[*n%2])
	case reflect.Uint8:
		v.SetUint(uint64(*n%100) + 1)
	case reflect.Uint64:
		v.SetUint(uint64(*n))
	default:
		panic(fmt.Sprintf("wiretest: %s is not provided for", v.Type()))
	}
}
