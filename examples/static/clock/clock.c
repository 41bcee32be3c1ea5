/* A function: tells the time as seconds since 1970. One thread a connection, kept open as HTTP/1.1 has it. */
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HEAD_BYTES_MAXIMUM = 16384 };

/* Reads one request head; what follows it (a body) is not expected. Returns 0 when the peer is done. */
static int read_head(int connection, char *head) {
    size_t length = 0;
    while (length < HEAD_BYTES_MAXIMUM - 1) {
        ssize_t count = read(connection, head + length, HEAD_BYTES_MAXIMUM - 1 - length);
        if (count <= 0) return 0;
        length += (size_t)count;
        head[length] = '\0';
        if (strstr(head, "\r\n\r\n")) return 1;
    }
    return 0;
}

static void *serve(void *argument) {
    int connection = (int)(long)argument;
    char head[HEAD_BYTES_MAXIMUM], answer[256], body[64];
    while (read_head(connection, head)) {
        int length = snprintf(body, sizeof body, "%lld\n", (long long)time(NULL));
        int total = snprintf(answer, sizeof answer,
                             "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s", length, body);
        if (write(connection, answer, (size_t)total) != total) break;
    }
    close(connection);
    return NULL;
}

static void leave(int signal_number) {
    (void)signal_number;
    _exit(0);
}

int main(void) {
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, leave);
    int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(8080)};
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 128)) {
        perror("clock: cannot listen on port 8080");
        return 1;
    }
    for (;;) {
        int connection = accept(listener, NULL, NULL);
        pthread_t thread;
        if (connection < 0) continue;
        if (pthread_create(&thread, NULL, serve, (void *)(long)connection)) close(connection);
        else pthread_detach(thread);
    }
}
