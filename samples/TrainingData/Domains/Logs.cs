namespace TrainingData.Domains;

/// <summary>Log files of servers, with clocks that run forward.</summary>
internal static class Logs
{
    private static readonly Grammar s_grammar = new Grammar()
        .With("level", "INFO|INFO|INFO|DEBUG|WARN|ERROR")
        .With("path", "/api/users|/api/orders|/login|/static/app.js|/health|/images/logo.png|/search|/cart|/admin")
        .With("method", "GET|GET|POST|PUT|DELETE")
        .With("code", "200|200|200|201|204|301|400|403|404|500|503")
        .With("host", "10.0.{0-9}.{1-254}|192.168.{0-9}.{1-254}")
        .With("service", "auth|billing|cache|database|gateway|mailer|scheduler|storage|worker")
        .With("message",
            "{method} {path} {code} {1-900}ms",
            "{method} {path} {code} {1-900}ms",
            "connection from {host}:{1024-65000} accepted",
            "connection from {host}:{1024-65000} closed",
            "retry {1-9} of 10 after {100-900}ms",
            "job {1000-9999} finished in {1-90}s",
            "job {1000-9999} failed: timeout",
            "cache miss for key user:{100-999}",
            "disk usage at {10-99}%",
            "heap {64-512}MB of 1024MB, {1-64} threads",
            "session {1000-9999} expired for user:{100-999}",
            "loaded config from /etc/{service}.conf");

    public static string Write(Random random)
    {
        var clock = new TimeOnly(random.Next(24), random.Next(60), random.Next(60));
        var lines = new List<string>();
        for (int count = random.Next(5, 12); count > 0; count--)
        {
            clock = clock.Add(TimeSpan.FromSeconds(random.Next(1, 40)));
            lines.Add(s_grammar.Expand($"[{clock:HH\\:mm\\:ss}] {{level}} {{service}}: {{message}}", random));
        }

        return string.Join('\n', lines);
    }
}
