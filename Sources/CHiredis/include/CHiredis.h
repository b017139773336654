/// hiredis as WSMRedis uses it: the library's header and what of it Swift cannot say by itself.
///
/// hiredis 0.14 (Debian 12, Ubuntu 22.04) and 1.x differ in the callbacks of a reply reader; the difference ends here.
#ifndef CHIREDIS_H
#define CHIREDIS_H

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include <hiredis/hiredis.h>

/// Receives the parts of a reply in the order of the wire: an array comes before its elements.
///
/// Each function answers 0 to go on; anything else ends the reader, which then reports "out of memory".
typedef struct wsmReplySink {
    void *context;
    int (*string)(void *context, int type, const char *bytes, size_t length);
    int (*array)(void *context, long long count);
    int (*integer)(void *context, long long value);
    int (*nil)(void *context);
} wsmReplySink;

/// hiredis keeps what a callback returns as the reply object and takes NULL for "out of memory".
static inline void *wsmReplyToken(wsmReplySink *sink, int refused) { return refused ? NULL : sink; }

static inline void *wsmCreateString(const redisReadTask *task, char *bytes, size_t length) {
    wsmReplySink *sink = (wsmReplySink *)task->privdata;
    return wsmReplyToken(sink, sink->string(sink->context, task->type, bytes, length));
}

static inline void *wsmCreateInteger(const redisReadTask *task, long long value) {
    wsmReplySink *sink = (wsmReplySink *)task->privdata;
    return wsmReplyToken(sink, sink->integer(sink->context, value));
}

static inline void *wsmCreateNil(const redisReadTask *task) {
    wsmReplySink *sink = (wsmReplySink *)task->privdata;
    return wsmReplyToken(sink, sink->nil(sink->context));
}

#if HIREDIS_MAJOR >= 1
static inline void *wsmCreateArray(const redisReadTask *task, size_t count) {
    wsmReplySink *sink = (wsmReplySink *)task->privdata;
    return wsmReplyToken(sink, sink->array(sink->context, (long long)count));
}

static inline void *wsmCreateDouble(const redisReadTask *task, double value, char *bytes, size_t length) {
    wsmReplySink *sink = (wsmReplySink *)task->privdata;
    (void)value;
    return wsmReplyToken(sink, sink->string(sink->context, REDIS_REPLY_STRING, bytes, length));
}

static inline void *wsmCreateBool(const redisReadTask *task, int value) {
    wsmReplySink *sink = (wsmReplySink *)task->privdata;
    return wsmReplyToken(sink, sink->integer(sink->context, value));
}
#else
static inline void *wsmCreateArray(const redisReadTask *task, int count) {
    wsmReplySink *sink = (wsmReplySink *)task->privdata;
    return wsmReplyToken(sink, sink->array(sink->context, (long long)count));
}
#endif

/// The sink owns what it was given; there is no object to free.
static inline void wsmFreeObject(void *object) { (void)object; }

/// A reader that hands every part of a reply to `sink`, which must outlive it; NULL when out of memory.
///
/// `keptBytes` is how much unused buffer it keeps for the next feed.
static inline redisReader *wsmReaderCreate(wsmReplySink *sink, size_t keptBytes) {
    static redisReplyObjectFunctions functions = {
        .createString = wsmCreateString,
        .createArray = wsmCreateArray,
        .createInteger = wsmCreateInteger,
        .createNil = wsmCreateNil,
#if HIREDIS_MAJOR >= 1
        .createDouble = wsmCreateDouble,
        .createBool = wsmCreateBool,
#endif
        .freeObject = wsmFreeObject,
    };
    redisReader *reader = redisReaderCreateWithFunctions(&functions);
    if (reader != NULL) {
        reader->privdata = sink;
        reader->maxbuf = keptBytes;
    }
    return reader;
}

/// The next whole reply: 1 when the sink has been given one, 0 when more bytes are needed, -1 when the reader is dead.
static inline int wsmReaderNext(redisReader *reader) {
    void *token = NULL;
    if (redisReaderGetReply(reader, &token) != REDIS_OK) {
        return -1;
    }
    return token != NULL;
}

static inline const char *wsmReaderError(const redisReader *reader) { return reader->errstr; }

/// The length that the bulk string being read has announced, LLONG_MAX-like numbers cut short; -1 when none is being read.
static inline long long wsmReaderAnnouncedLength(const redisReader *reader) {
    if (reader->ridx < 0) {
        return -1;
    }
#if HIREDIS_MAJOR >= 1
    int type = reader->task[reader->ridx]->type;
#else
    int type = reader->rstack[reader->ridx].type;
#endif
    if (type != REDIS_REPLY_STRING) {
        return -1;
    }
    long long length = -1;
    for (size_t at = reader->pos; at < reader->len && reader->buf[at] >= '0' && reader->buf[at] <= '9'; at++) {
        if (length > 1000000000000000LL) {
            break;
        }
        length = (length < 0 ? 0 : length * 10) + (reader->buf[at] - '0');
    }
    return length;
}

/// Whether the first `limit` unread bytes hold no end of line, though each item of the protocol begins with a line.
static inline int wsmReaderLineExceeds(const redisReader *reader, size_t limit) {
    if (reader->len - reader->pos <= limit) {
        return 0;
    }
    const char *at = reader->buf + reader->pos;
    const char *end = at + limit;
    while ((at = (const char *)memchr(at, '\r', (size_t)(end - at))) != NULL) {
        if (at[1] == '\n') {
            return 0;
        }
        at++;
    }
    return 1;
}

/// Sends what the socket takes at once, without SIGPIPE; -1 with `*error` set to errno, EAGAIN when it takes nothing.
static inline long wsmContextSend(redisContext *context, const void *bytes, size_t length, int *error) {
#ifdef MSG_NOSIGNAL
    const int flags = MSG_DONTWAIT | MSG_NOSIGNAL;
#else
    const int flags = MSG_DONTWAIT;
#endif
    ssize_t count = send(context->fd, bytes, length, flags);
    *error = count < 0 ? errno : 0;
    return (long)count;
}

/// Waits until the socket can be read (or written): 1 yes, 0 the time is up, -1 with `*error` set to errno.
static inline int wsmContextWait(redisContext *context, int forWriting, int milliseconds, int *error) {
    struct pollfd wanted = {.fd = context->fd, .events = forWriting ? POLLOUT : POLLIN};
    int count = poll(&wanted, 1, milliseconds);
    *error = count < 0 ? errno : 0;
    return count;
}

/// One blocking read into the context's reader; `*error` becomes errno when it failed.
static inline int wsmContextRead(redisContext *context, int *error) {
    errno = 0;
    int result = redisBufferRead(context);
    *error = result == REDIS_OK ? 0 : errno;
    return result;
}

/// Whether the peer has closed the connection or sent something nobody asked for: 1 yes, 0 no.
static inline int wsmContextIsStale(redisContext *context) {
    char byte;
    ssize_t count = recv(context->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return !(count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR));
}

/// Bytes that have been read and belong to no whole reply yet.
static inline size_t wsmContextUnread(const redisContext *context) {
    return context->reader->len - context->reader->pos;
}

static inline const char *wsmContextError(const redisContext *context) { return context->errstr; }

/// No message waits for another to fill a packet, and no child process inherits the socket.
static inline void wsmContextSetUp(redisContext *context) {
    if (context->connection_type == REDIS_CONN_TCP) {
        int on = 1;
        (void)setsockopt(context->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        (void)redisEnableKeepAlive(context);
    }
    (void)fcntl(context->fd, F_SETFD, FD_CLOEXEC);
}

/// Lets a process to be spawned close every file descriptor from `first` on; `actions` is a `posix_spawn_file_actions_t *`.
///
/// Answers 0, or -1 where the C library cannot. glibc has it since 2.34, and declares it for Swift under no name.
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 34)
extern int wsmGlibcCloseFrom(void *actions, int first) __asm__("posix_spawn_file_actions_addclosefrom_np");
static inline int wsmCloseFrom(void *actions, int first) { return wsmGlibcCloseFrom(actions, first) == 0 ? 0 : -1; }
#else
static inline int wsmCloseFrom(void *actions, int first) {
    (void)actions;
    (void)first;
    return -1;
}
#endif

#endif
