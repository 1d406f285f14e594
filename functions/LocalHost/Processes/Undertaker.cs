using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Failover.LocalHost.Processes;

/// <summary>
/// Ends the world's child processes when LocalHost is gone, however it went: a process of its own that reads their ids from a pipe,
/// and kills what is left when the pipe breaks. (A parent that is killed outright can do nothing itself, and no portable call makes children follow it.)
/// </summary>
internal sealed class Undertaker : IDisposable
{
    /// <summary>The argument that makes this program an undertaker.</summary>
    public const string Argument = "--undertaker";

    private readonly Process _process;
    private readonly Lock _lock = new();

    public Undertaker() =>
        _process = Process.Start(new ProcessStartInfo(Outputs.Executable("LocalHost"), Argument) { RedirectStandardInput = true })!;

    /// <summary>Names a directory that is deleted with the world.</summary>
    public void Owns(string directory) => Tell("/" + directory);

    /// <summary>Starts a process that the undertaker knows.</summary>
    public Process Start(ProcessStartInfo info)
    {
        var process = Process.Start(info) ?? throw new InvalidOperationException($"{info.FileName} did not start.");
        Tell($"+{process.Id}");
        process.EnableRaisingEvents = true;
        process.Exited += (_, _) => Tell($"-{process.Id}");
        return process;
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _process.StandardInput.Dispose();
        }

        _process.WaitForExit(TimeSpan.FromSeconds(5));
        _process.Dispose();
    }

    /// <summary>The undertaker's own main loop.</summary>
    public static void Run()
    {
        // Ctrl-C, or a terminal that is closed, reaches every process of a terminal; this one must outlive its parent.
        Console.CancelKeyPress += (_, args) => args.Cancel = true;
        using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal => signal.Cancel = true);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal => signal.Cancel = true);
        var alive = new HashSet<int>();
        var directories = new List<string>();
        while (Console.In.ReadLine() is { } line)
        {
            if (line[0] == '/')
            {
                directories.Add(line[1..]);
                continue;
            }

            var id = int.Parse(line.AsSpan(1), CultureInfo.InvariantCulture);
            _ = line[0] == '+' ? alive.Add(id) : alive.Remove(id);
        }

        foreach (var id in alive)
        {
            try
            {
                using var process = Process.GetProcessById(id);
                process.Kill(entireProcessTree: true);
            }
            catch (Exception error) when (error is ArgumentException or InvalidOperationException or System.ComponentModel.Win32Exception)
            {
                // It ended by itself.
            }
        }

        foreach (var directory in directories.Where(Directory.Exists))
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private void Tell(string line)
    {
        lock (_lock)
        {
            try
            {
                _process.StandardInput.WriteLine(line);
                _process.StandardInput.Flush();
            }
            catch (Exception error) when (error is IOException or ObjectDisposedException)
            {
                // The undertaker is gone, or the world is ending: then its end kills them.
            }
        }
    }
}
