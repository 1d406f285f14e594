using System.Runtime.InteropServices;

namespace Failover.LocalHost.Processes;

/// <summary>Makes SIGINT count also in a program that a script started in its background.</summary>
internal static class Interrupts
{
    private const int SigInt = 2;

    /// <summary>
    /// Gives SIGINT its ordinary meaning back. A shell without job control starts background programs with SIGINT ignored,
    /// and .NET keeps a signal ignored that it finds so: <c>PosixSignalRegistration</c> then never sees it. Call this before anything
    /// registers for signals.
    /// </summary>
    public static void Heed()
    {
        if (!OperatingSystem.IsWindows())
        {
            _ = Signal(SigInt, handler: 0);
        }
    }

    [DllImport("libc", EntryPoint = "signal", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern nint Signal(int signal, nint handler);
}
