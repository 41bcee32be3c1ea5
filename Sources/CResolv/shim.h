#pragma once
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <string.h>

// glibc's resolver: the servers of /etc/resolv.conf, tried in turn, by UDP and where an answer is cut by TCP.

// Asks for the TXT records of a name as it stands, without the search list.
//
// server: an IPv4 address in network order and a port to ask instead of those configured; 0 for none.
// Returns the answer's length, or minus one of netdb.h's error numbers: HOST_NOT_FOUND, NO_DATA, TRY_AGAIN, NO_RECOVERY.
static inline int resolv_txt(const char *name, uint32_t server, uint16_t port, int seconds, int tries,
                             unsigned char *answer, int capacity) {
    struct __res_state state;
    memset(&state, 0, sizeof state);
    if (res_ninit(&state) != 0) return -NO_RECOVERY;
    state.options &= ~(unsigned long)(RES_DNSRCH | RES_DEFNAMES);
    state.retrans = seconds;
    state.retry = tries;
    if (server != 0) {
        memset(&state.nsaddr_list[0], 0, sizeof state.nsaddr_list[0]);
        state.nsaddr_list[0].sin_family = AF_INET;
        state.nsaddr_list[0].sin_addr.s_addr = server;
        state.nsaddr_list[0].sin_port = htons(port);
        state.nscount = 1;
    }
    int length = res_nquery(&state, name, ns_c_in, ns_t_txt, answer, capacity);
    int error = state.res_h_errno;
    res_nclose(&state);
    if (length >= 0) return length < capacity ? length : capacity;
    return error > 0 ? -error : -TRY_AGAIN;
}
