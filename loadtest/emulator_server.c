#include "loadtest/emulator_server.h"

#include "loadtest/emulator_connection.h"
#include "loadtest/emulator_delayed.h"
#include "sender/base/check.h"
#include "sender/base/log.h"

#include <unistd.h>

enum { CLOSE_TURN_US = 100 * 1000, CLOSE_TURNS_MAX = 50 };

static void
on_accept(void *context, int fd)
{
    struct emulator_server *server = context;
    if (server->connection_count == EMULATOR_CONNECTIONS_MAX) {
        log_line(LOG_WARN, "too_many_connections", "max=%d", EMULATOR_CONNECTIONS_MAX);
        close(fd);
        return;
    }
    emulator_connection_open(server, fd);
}

bool
emulator_server_open(struct emulator_server *server, struct loop *loop,
                     struct emulator_service *service,
                     const struct emulator_server_settings *settings, struct error_text *error)
{
    *server = (struct emulator_server){.loop = loop, .service = service, .settings = *settings};
    server->listener = listener_open(loop, &settings->address, on_accept, server, error);
    return server->listener != NULL;
}

void
emulator_server_close(struct emulator_server *server)
{
    listener_close(server->listener);
    struct emulator_connection *connection = server->connections;
    for (; connection != NULL; connection = connection->next)
        link_close(connection->link);
    for (int i = 0; server->connections != NULL && i < CLOSE_TURNS_MAX; i++) {
        loop_turn(server->loop, CLOSE_TURN_US);
        if (i != CLOSE_TURNS_MAX / 2)
            continue;
        for (connection = server->connections; connection != NULL; connection = connection->next)
            link_reset(connection->link);
    }
    check(server->connections == NULL);
    emulator_delayed_close(server);
}
