// What starting a confined child needs and glibc's Swift module leaves out because it is behind _GNU_SOURCE.
#pragma once

#include <spawn.h>
#include <sys/resource.h>
#include <sys/types.h>

// glibc 2.34: closes every descriptor from `from` on in the child.
extern int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int from);
// glibc 2.29: the child's working directory.
extern int posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t *restrict actions,
                                                const char *restrict path);
extern int prlimit(pid_t pid, int resource, const struct rlimit *limit, struct rlimit *old);

// Limits one resource of another process, hard and soft.
static inline int farebox_limit(pid_t pid, int resource, rlim_t value) {
    struct rlimit limit = {value, value};
    return prlimit(pid, resource, &limit, 0);
}

static inline int farebox_limit_file_size(pid_t pid, rlim_t bytes) { return farebox_limit(pid, RLIMIT_FSIZE, bytes); }
static inline int farebox_limit_core_size(pid_t pid, rlim_t bytes) { return farebox_limit(pid, RLIMIT_CORE, bytes); }

// Two descriptors, both closed on exec; -1 and errno on failure.
extern int pipe2(int ends[2], int flags);
