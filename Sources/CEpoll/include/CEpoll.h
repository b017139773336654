/// Waiting for many sockets on Linux, which the Swift toolchain's own module of the C library leaves out.
#ifndef CEPOLL_H
#define CEPOLL_H

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>

/// The bits of `epoll_event.events` as a type that Swift knows: there they are cases of an enumeration.
static const uint32_t wsmEpollIn = EPOLLIN;
static const uint32_t wsmEpollOut = EPOLLOUT;
static const uint32_t wsmEpollError = EPOLLERR;
static const uint32_t wsmEpollHangUp = EPOLLHUP;
static const uint32_t wsmEpollPeerEnd = EPOLLRDHUP;

#endif
