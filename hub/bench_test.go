package hub

import (
	"encoding/binary"
	"fmt"
	"sync"
	"testing"

	"snug/wire"
)

// frame340 is a frame whose event has about the 340 bytes that docs/ARCHITECTURE.md counts with.
const frame340 = 150

type benchRoom struct {
	*Memory
	room    wire.RoomID
	members []wire.Joined
	ids     uint64
}

func newBenchRoom(b *testing.B, h *Memory, n int, members int) *benchRoom {
	x := &benchRoom{Memory: h, room: wire.RoomID{byte(n), byte(n >> 8)}}
	for i := range members {
		j, err := h.Join(x.room, Join{Member: wire.MemberID{byte(i), byte(i >> 8)}, Card: make([]byte, 600)})
		if err != nil {
			b.Fatal(err)
		}
		x.members = append(x.members, j)
	}
	return x
}

func (x *benchRoom) post(b *testing.B, frame []byte) wire.Cursor {
	x.ids++
	var id wire.MessageID
	binary.LittleEndian.PutUint64(id[:], x.ids)
	posted, err := x.Post(x.room, x.members[0].Session, Post{ID: id, Frame: frame})
	if err != nil {
		b.Fatal(err)
	}
	return posted.Cursor
}

func (x *benchRoom) ack(b *testing.B, m wire.Joined, c wire.Cursor) {
	if err := x.Ack(x.room, m.Session, c); err != nil {
		b.Fatal(err)
	}
}

func benchMemory(b *testing.B, members int) *Memory {
	h := NewMemory(Limits{RoomMembers: members, RoomBytes: 1 << 40, RelayBytes: 1 << 40, RoomMessages: 1 << 40})
	b.Cleanup(func() { h.Close() })
	return h
}

// BenchmarkPost is a post into a room of two, and the ack that frees it.
func BenchmarkPost(b *testing.B) {
	for _, size := range []int{frame340, 16 << 10, 256 << 10} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			x := newBenchRoom(b, benchMemory(b, 2), 0, 2)
			frame := make([]byte, size)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				x.ack(b, x.members[1], x.post(b, frame))
			}
		})
	}
}

// BenchmarkDeliver is a post into a room, and Next and Ack of each member but the poster, all by one goroutine: ns/op
// divided by the members is what the hub's part of a delivery costs.
func BenchmarkDeliver(b *testing.B) {
	for _, members := range []int{2, 50, 1000} {
		b.Run(fmt.Sprint(members), func(b *testing.B) {
			x := newBenchRoom(b, benchMemory(b, members), 0, members)
			var subs []Subscription
			for _, m := range x.members {
				s, err := x.Subscribe(x.room, m.Session, m.Cursor, Stream)
				if err != nil {
					b.Fatal(err)
				}
				subs = append(subs, s)
			}
			frame := make([]byte, frame340)
			b.ReportAllocs()
			for b.Loop() {
				x.post(b, frame)
				for i, s := range subs[1:] {
					u, err := s.Next(1 << 16)
					if err != nil || len(u.Events) == 0 {
						b.Fatal(len(u.Events), err)
					}
					x.ack(b, x.members[i+1], u.Cursor)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(members-1), "ns/delivery")
		})
	}
}

// BenchmarkWake is a post into a room with a goroutine for each of 1,000 readers, until all have read it.
func BenchmarkWake(b *testing.B) {
	const members = 1000
	x := newBenchRoom(b, benchMemory(b, members), 0, members)
	var read sync.WaitGroup
	for _, m := range x.members[1:] {
		s, err := x.Subscribe(x.room, m.Session, x.members[members-1].Cursor, Stream)
		if err != nil {
			b.Fatal(err)
		}
		go func() {
			for {
				select {
				case <-s.Ready():
				case <-s.Done():
					return
				}
				u, err := s.Next(1 << 16)
				if err != nil {
					return
				}
				for range u.Events {
					read.Done()
				}
				if len(u.Events) > 0 {
					x.Ack(x.room, m.Session, u.Cursor)
				}
			}
		}()
	}
	frame := make([]byte, frame340)
	b.ReportAllocs()
	for b.Loop() {
		read.Add(members - 1)
		x.post(b, frame)
		read.Wait()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(members-1), "ns/delivery")
}

// BenchmarkAckBehind is the ack of one that has 10,000 messages to catch up with, for each of them.
func BenchmarkAckBehind(b *testing.B) {
	var l log
	one, two := &reader{id: wire.MemberID{1}}, &reader{id: wire.MemberID{2}}
	l.join(one)
	l.join(two)
	event := make(wire.Framed, frame340)
	for n := 0; b.Loop(); n++ {
		var id wire.MessageID
		binary.LittleEndian.PutUint64(id[:], uint64(n))
		l.post(one, id, event, 0)
		if n%10_000 == 9_999 {
			l.ack(two, l.head)
		}
	}
}

// BenchmarkParallelRooms posts and acks in 200 rooms of two, from all processors.
func BenchmarkParallelRooms(b *testing.B) {
	h := benchMemory(b, 2)
	rooms := make(chan *benchRoom, 200)
	for n := range cap(rooms) {
		rooms <- newBenchRoom(b, h, n, 2)
	}
	frame := make([]byte, frame340)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		x := <-rooms
		for pb.Next() {
			x.ack(b, x.members[1], x.post(b, frame))
		}
	})
}
