using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Failover.Simulation;

/// <summary>
/// Worlds of real processes with real deadlines are tested beside this on the same cores; here only simulated time passes, so it gives way.
/// Set before any other thread is made: on Linux a priority is a thread's, and inherited.
/// </summary>
internal static class LowPriority
{
    [ModuleInitializer]
    internal static void Set()
    {
        using var self = Process.GetCurrentProcess();
        self.PriorityClass = ProcessPriorityClass.BelowNormal;
    }
}
