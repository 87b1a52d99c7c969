package handlers

import (
	"context"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
)

// sockets keeps the loop that serves all sockets of a Server, while there are any.
type sockets struct {
	mu   sync.Mutex
	loop *loop // guarded by mu
	open int   // guarded by mu: sockets of the loop
}

// sendBuffer is how much of a stream the kernel may hold for its reader. To a reverse proxy on the same machine it begins with
// 2.5 MiB, and would take as long to fill before anybody notices that the reader has stopped. A smaller one stays as it is.
const sendBuffer = 128 << 10

func boundSendBuffer(fd uintptr) {
	if n, err := syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_SNDBUF); err == nil && n > 2*sendBuffer { // the kernel says twice what one sets
		_ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_SNDBUF, sendBuffer) // else it stays as it was
	}
}

// take makes the socket of a connection that was taken over from net/http k's, and the connection is closed: what Go keeps
// beside a socket to wait for it is not needed.
func (s *sockets) take(server *Server, k *socket, conn plainConn) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	k.fd = -1
	err = raw.Control(func(fd uintptr) {
		n, _, errno := syscall.Syscall(syscall.SYS_FCNTL, fd, syscall.F_DUPFD_CLOEXEC, 0)
		if errno == 0 {
			k.fd = int(n)
			boundSendBuffer(fd)
		}
	})
	if err != nil {
		return err
	}
	if k.fd < 0 {
		return errNoSocket
	}
	l, err := s.join(server)
	if err == nil {
		k.loop = l
		if err = l.add(k); err != nil {
			s.release(l)
		}
	}
	if err != nil {
		syscall.Close(k.fd)
		return err
	}
	conn.Close()
	return nil
}

// join counts a socket in, and starts the loop for the first.
func (s *sockets) join(server *Server) (*loop, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.loop == nil {
		l, err := newLoop(server)
		if err != nil {
			return nil, err
		}
		s.loop = l
	}
	s.open++
	return s.loop, nil
}

// release counts a socket out, and stops the loop with the last.
func (s *sockets) release(l *loop) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open--; s.open == 0 {
		s.loop = nil
		l.stop()
	}
}

// drain has all sockets look at the server's draining. It does not wait for them.
func (s *sockets) drain() {
	s.mu.Lock()
	l := s.loop
	s.mu.Unlock()
	if l != nil {
		go l.wakeAll()
	}
}

// wait returns when there is no socket and no goroutine of a loop.
func (s *sockets) wait(ctx context.Context) error {
	for {
		s.mu.Lock()
		l := s.loop
		s.mu.Unlock()
		if l == nil {
			return nil
		}
		select {
		case <-l.ended:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// loop serves sockets with two goroutines: one for the wheel, one that hears from epoll who has hung up and who has room again.
type loop struct {
	wheel   *wheel
	epoll   *os.File      // an epoll set that Go's own poller watches, so that waiting for it takes no thread
	fd      int           // of epoll
	quit    chan struct{} // closed by stop
	ended   chan struct{} // closed when both goroutines have ended
	running atomic.Int32

	mu    sync.Mutex
	table []*socket // guarded by mu; by file descriptor
	kinds uint32    // guarded by mu
}

func newLoop(server *Server) (*loop, error) {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	if err := syscall.SetNonblock(fd, true); err != nil {
		syscall.Close(fd)
		return nil, os.NewSyscallError("fcntl", err)
	}
	l := &loop{
		wheel: newWheel(server.now),
		epoll: os.NewFile(uintptr(fd), "epoll"),
		fd:    fd,
		quit:  make(chan struct{}),
		ended: make(chan struct{}),
	}
	l.running.Store(2)
	go func() {
		defer l.leave()
		l.wheel.run(l.quit)
	}()
	go func() {
		defer l.leave()
		l.listen()
	}()
	return l, nil
}

func (l *loop) leave() {
	if l.running.Add(-1) == 0 {
		close(l.ended)
	}
}

// stop ends the goroutines. It may be called from one of them, so it does not wait.
func (l *loop) stop() {
	close(l.quit)
	l.epoll.Close()
}

// The events that are asked for; EPOLLHUP and EPOLLERR come anyway. Each event comes once and is asked for again.
const (
	hangUp  = syscall.EPOLLRDHUP | 1<<30 // EPOLLONESHOT
	hasRoom = syscall.EPOLLOUT
)

func (l *loop) add(k *socket) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.table) <= k.fd {
		l.table = append(l.table, make([]*socket, max(64, len(l.table)))...)
	}
	l.kinds++
	k.kind = l.kinds
	event := syscall.EpollEvent{Events: hangUp, Fd: int32(k.fd), Pad: int32(k.kind)}
	if err := syscall.EpollCtl(l.fd, syscall.EPOLL_CTL_ADD, k.fd, &event); err != nil {
		return os.NewSyscallError("epoll_ctl", err)
	}
	l.table[k.fd] = k
	return nil
}

// watch has epoll tell of hang-ups, and of room if that is wanted.
func (l *loop) watch(k *socket, forRoom bool) {
	event := syscall.EpollEvent{Events: hangUp, Fd: int32(k.fd), Pad: int32(k.kind)}
	if forRoom {
		event.Events |= hasRoom
	}
	_ = syscall.EpollCtl(l.fd, syscall.EPOLL_CTL_MOD, k.fd, &event) // it is in the set
}

func (l *loop) forget(k *socket) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.table[k.fd] = nil
}

func (l *loop) find(e syscall.EpollEvent) *socket {
	l.mu.Lock()
	defer l.mu.Unlock()
	if k := l.table[e.Fd]; k != nil && k.kind == uint32(e.Pad) {
		return k
	}
	return nil // closed since
}

func (l *loop) wakeAll() {
	l.mu.Lock()
	var list []*socket
	for _, k := range l.table {
		if k != nil {
			list = append(list, k)
		}
	}
	l.mu.Unlock()
	for _, k := range list {
		k.wake(nil)
	}
}

// listen wakes sockets until stop.
func (l *loop) listen() {
	raw, err := l.epoll.SyscallConn()
	if err != nil {
		return // stopped already
	}
	events := make([]syscall.EpollEvent, 256)
	for {
		n := 0
		err := raw.Read(func(fd uintptr) bool {
			n, _ = syscall.EpollWait(int(fd), events, 0)
			return n > 0
		})
		if err != nil {
			return
		}
		for _, e := range events[:n] {
			k := l.find(e)
			if k == nil {
				continue
			}
			if e.Events&^hasRoom != 0 {
				k.gone.Store(true)
			} else {
				k.writable.Store(true)
			}
			k.wake(nil)
		}
	}
}
