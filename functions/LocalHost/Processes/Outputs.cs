namespace Failover.LocalHost.Processes;

/// <summary>Where the build puts things: each project in a folder of its own, side by side (artifacts/bin/ItemApi/debug).</summary>
internal static class Outputs
{
    private static readonly DirectoryInfo Here = new(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));

    /// <summary>The output folder of a project, in the configuration that runs.</summary>
    public static string Of(string project) => Path.Combine(Here.Parent!.Parent!.FullName, project, Here.Name);

    /// <summary>The program of a project.</summary>
    /// <exception cref="InvalidOperationException">It was not built.</exception>
    public static string Executable(string project)
    {
        var path = Path.Combine(Of(project), OperatingSystem.IsWindows() ? project + ".exe" : project);
        return File.Exists(path) ? path : throw new InvalidOperationException($"There is no {path}: build the solution first.");
    }
}
