package handlers

import (
	"net"
	"os"
	"syscall"
	"time"
	"unsafe"
)

// laneIO reads and writes without telling Go's scheduler, as write does: none of the calls waits, and each that the scheduler
// hears of wakes its monitor, which cost a sixth of all CPU in a relay that is never quite busy. The functions are
// made once, since they would be made anew for each call.
type laneIO struct {
	raw         syscall.RawConn
	recv, send1 func(fd uintptr) bool
	peek        func(fd uintptr) bool
	n           int           // of the last call
	errno       syscall.Errno // of the last call
}

// of makes the functions for a lane.
func (o *laneIO) of(k *lane) (err error) {
	if o.raw, err = k.SyscallConn(); err != nil {
		return err
	}
	o.recv = func(fd uintptr) bool {
		if k.buf == nil {
			k.buf = laneBuffers.Get().(*laneBuffer)
		}
		if o.n, o.errno = recvfrom(fd, k.buf.b[k.buf.n:], 0); o.errno != syscall.EAGAIN {
			return true
		}
		if k.buf.n == 0 { // so that a connection that waits holds none
			k.release()
		}
		return false
	}
	o.send1 = func(fd uintptr) bool {
		o.n, o.errno = write(int(fd), k.buf.b[:k.buf.n])
		return true
	}
	o.peek = func(fd uintptr) bool {
		var one [1]byte
		o.n, o.errno = recvfrom(fd, one[:], syscall.MSG_PEEK)
		return o.errno != syscall.EAGAIN && o.n == 0
	}
	return nil
}

// receive waits for bytes behind those that the buffer has.
func (k *lane) receive() error {
	if err := k.raw.Read(k.recv); err != nil {
		return err
	}
	if err := readError(k.laneIO.n, k.errno); err != nil {
		return err
	}
	k.buf.n += k.laneIO.n
	return nil
}

// hangUp waits until the other side hangs up, or for the deadline; it reads nothing.
func (k *lane) hangUp() error {
	if err := k.raw.Read(k.peek); err != nil {
		return err
	}
	return readError(k.laneIO.n, k.errno)
}

// send writes the buffer, and returns what the socket does not take at once.
func (k *lane) send() (rest []byte, err error) {
	if err := k.raw.Write(k.send1); err != nil {
		return nil, err
	}
	rest = k.buf.b[:k.buf.n]
	switch k.errno {
	case 0:
		return rest[k.laneIO.n:], nil
	case syscall.EAGAIN, syscall.EINTR:
		return rest, nil
	}
	return nil, &net.OpError{Op: "write", Net: "tcp", Err: os.NewSyscallError("sendto", k.errno)}
}

// sendRest waits for one who posts and does not read the answers. The deadline is taken back, as net/http does behind each
// answer, or it would cut a later one.
func (k *lane) sendRest(b []byte) error {
	if err := k.SetWriteDeadline(time.Now().Add(k.server.conf.Streams.Write)); err != nil { // net/http sets its own
		return err
	}
	_, err := k.Write(b)
	return firstError(err, k.SetWriteDeadline(time.Time{}))
}

func recvfrom(fd uintptr, b []byte, flags uintptr) (int, syscall.Errno) {
	for {
		n, _, errno := syscall.RawSyscall6(syscall.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), syscall.MSG_DONTWAIT|flags, 0, 0)
		switch errno {
		case 0:
			return int(n), 0
		case syscall.EINTR:
		default:
			return 0, errno
		}
	}
}
