//go:build linux

package main

import (
	"bytes"
	"fmt"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"snug/client/acks"
)

// mark begins what a message of ours carries: 8 digits of the room, 10 of its number, 16 of the microsecond it was sent.
// All of it is base64url, so that it looks the same in a frame that the relay has encoded.
const (
	mark     = "-_-_-_-_"
	markSize = len(mark) + 8 + 10 + 16
)

// began is when the clock of the marks began.
var began = time.Now()

func microseconds() int64 { return time.Since(began).Microseconds() }

// message is the text of a message, payload bytes long.
func message(room int, number uint64, payload int) []byte {
	b := make([]byte, 0, payload)
	b = fmt.Appendf(b, "AQAA%s%08d%010d%016d", mark, room, number, microseconds())
	for len(b) < payload {
		b = append(b, 'x')
	}
	return b
}

// stream is one open event stream. It belongs to the reader's goroutine once that runs.
type stream struct {
	fd      int
	room    *room
	session string // of snug
	stalled bool   // it does not read
	headed  bool   // the head of the answer is read
	chunked bool
	left    int    // bytes of the chunk that are to come, with its line end
	size    []byte // of a chunk header in two parts
	tail    []byte // an incomplete line
	last    uint64 // number of the newest message
	count   uint64
	seen    int64 // microsecond of the newest message
	hello   bool
	ended   bool

	cursor string // the newest id
	acks   acks.Pace
}

// room is where messages go. Its number of posts is written by its poster.
type room struct {
	number int
	posted atomic.Uint64
}

// reader reads all streams with one epoll set and one buffer, so that the client costs little beside the server.
type reader struct {
	epoll   int
	streams map[int]*stream // by fd; static while it runs
	quit    chan struct{}
	done    chan struct{}
	ack     func(*stream) // sends one, without waiting; nil: nobody acks
	acking  atomic.Bool

	mu    sync.Mutex
	young []*stream // guarded by mu

	counted           atomic.Uint64 // messages that came
	hellos            atomic.Int64
	ends              atomic.Int64
	doubled, disorder uint64 // written by the reader's goroutine
	late              []uint32
	err               error
}

func newReader() (*reader, error) {
	ep, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	return &reader{epoll: ep, streams: map[int]*stream{}, quit: make(chan struct{}), done: make(chan struct{})}, err
}

// open connects and sends the request. A stalled stream gets a small buffer and is never read.
func open(addr *net.TCPAddr, request []byte, stalled bool) (int, error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	if stalled {
		_ = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4096)
	}
	to := &syscall.SockaddrInet4{Port: addr.Port}
	copy(to.Addr[:], addr.IP.To4())
	for range 200 {
		if err = syscall.Connect(fd, to); err != syscall.EINTR && err != syscall.ECONNREFUSED && err != syscall.EAGAIN {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err == nil {
		_, err = syscall.Write(fd, request)
	}
	if err != nil {
		syscall.Close(fd)
		return 0, err
	}
	return fd, syscall.SetNonblock(fd, true)
}

// add has the stream read. It is called before run, or for streams that are stalled.
func (r *reader) add(s *stream) error {
	r.streams[s.fd] = s
	if s.stalled {
		return nil
	}
	return syscall.EpollCtl(r.epoll, syscall.EPOLL_CTL_ADD, s.fd, &syscall.EpollEvent{Events: syscall.EPOLLIN | syscall.EPOLLRDHUP, Fd: int32(s.fd)})
}

// addLate is add while run goes on: the stream goes through a list.
func (r *reader) addLate(s *stream) error {
	r.mu.Lock()
	r.young = append(r.young, s)
	r.mu.Unlock()
	return nil
}

// takeYoung begins to read the streams of addLate.
func (r *reader) takeYoung() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.young {
		if err := r.add(s); err != nil {
			return err
		}
	}
	r.young = nil
	return nil
}

// run reads until stop. It owns the streams.
func (r *reader) run() {
	defer close(r.done)
	runtime.LockOSThread()
	events := make([]syscall.EpollEvent, 512)
	buf := make([]byte, 256<<10)
	look := time.Now()
	for {
		select {
		case <-r.quit:
			return
		default:
		}
		if r.err = r.takeYoung(); r.err != nil {
			return
		}
		n, err := syscall.EpollWait(r.epoll, events, 20)
		if err != nil && err != syscall.EINTR {
			r.err = err
			return
		}
		for _, e := range events[:max(n, 0)] {
			if err := r.read(r.streams[int(e.Fd)], buf); err != nil {
				r.err = err
				return
			}
		}
		if now := time.Now(); r.ack != nil && now.Sub(look) > 20*time.Millisecond {
			look = now
			r.sendAcks(now)
		}
	}
}

func (r *reader) stop() error {
	close(r.quit)
	<-r.done
	return r.err
}

// close hangs up all streams. The reader must have stopped.
func (r *reader) close() {
	for fd := range r.streams {
		syscall.Close(fd)
	}
	syscall.Close(r.epoll)
}

func (r *reader) sendAcks(now time.Time) {
	if !r.acking.Load() {
		return
	}
	for _, s := range r.streams {
		if s.cursor != "" && !s.stalled && !s.ended && !now.Before(s.acks.Due()) {
			s.acks.Sent(now)
			r.ack(s)
		}
	}
}

func (r *reader) read(s *stream, buf []byte) error {
	n, err := syscall.Read(s.fd, buf)
	if err == syscall.EAGAIN || err == syscall.EINTR {
		return nil
	}
	if n <= 0 || err != nil {
		s.ended = true
		r.ends.Add(1)
		return syscall.EpollCtl(r.epoll, syscall.EPOLL_CTL_DEL, s.fd, nil)
	}
	b := buf[:n]
	if !s.headed {
		s.tail = append(s.tail, b...)
		end := bytes.Index(s.tail, []byte("\r\n\r\n"))
		if end < 0 {
			return nil
		}
		if !bytes.HasPrefix(s.tail, []byte("HTTP/1.1 200")) {
			return fmt.Errorf("stream refused: %.300q", s.tail)
		}
		s.headed, s.chunked = true, bytes.Contains(s.tail[:end], []byte("chunked"))
		b, s.tail = bytes.Clone(s.tail[end+4:]), nil
	}
	now := time.Now()
	at := now.Sub(began).Microseconds()
	return s.unchunk(b, func(part []byte) error { return r.lines(s, part, now, at) })
}
