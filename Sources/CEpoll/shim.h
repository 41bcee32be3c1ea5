#pragma once
// What Glibc's Swift module map leaves out of Linux's event interfaces.
#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

// The enumerators of <sys/socket.h> belong to whichever module saw the header first, which differs between the dynamic and
// the static standard library: as constants of this module they are found in both.
static const int socket_stream = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
static const int socket_accepted = SOCK_NONBLOCK | SOCK_CLOEXEC;
static const int socket_close_on_exec = SOCK_CLOEXEC;
static const int timer_flags = TFD_NONBLOCK | TFD_CLOEXEC;
static const int timer_absolute = TFD_TIMER_ABSTIME;

extern int accept4(int, struct sockaddr *, socklen_t *, int);
extern int pthread_setname_np(pthread_t, const char *);
extern int sched_getaffinity(int, unsigned long, cpu_set_t *);
