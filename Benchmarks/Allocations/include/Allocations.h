/* Counts what a process allocates: every malloc, calloc, realloc and aligned allocation of all its threads and libraries,
 * since the functions of this target stand before those of the C library (glibc manual, "Replacing malloc"). */
#ifndef ALLOCATIONS_H
#define ALLOCATIONS_H

/* Allocations since the start of the process. */
unsigned long allocations_count(void);

#endif
