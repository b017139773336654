/// zstd as WSMRecord uses it: the library's stable one-shot interface, as its header gives it.
#ifndef CZSTD_H
#define CZSTD_H

#include <zstd.h>

/// A context that writes the content's size and checksum into each frame (RFC 8878, section 3.1.1); NULL when out of
/// memory.
static inline ZSTD_CCtx *wsmCompressorCreate(int level) {
    ZSTD_CCtx *context = ZSTD_createCCtx();
    if (context == NULL) {
        return NULL;
    }
    if (ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level)) ||
        ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)) ||
        ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 1))) {
        (void)ZSTD_freeCCtx(context);
        return NULL;
    }
    return context;
}

/// The content's size as a frame's header tells it; -1 when it does not, or when the bytes begin no frame.
static inline long long wsmFrameContentSize(const void *frame, size_t length) {
    unsigned long long size = ZSTD_getFrameContentSize(frame, length);
    if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR || size > 0x7fffffffffffffffULL) {
        return -1;
    }
    return (long long)size;
}

#endif
