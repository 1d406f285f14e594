namespace Failover.Repository.Tests;

/// <summary>The repository's own files.</summary>
internal static class Repo
{
    public static readonly string Root = FindRoot();

    private static readonly string[] Skipped = [".git", "artifacts", "node_modules", "bin", "obj"];

    public static string Read(string path) => File.ReadAllText(Path.Combine(Root, path));

    /// <summary>All files below a folder whose name ends so, as paths from the root; nothing that is built or installed.</summary>
    public static IEnumerable<string> Files(string folder, params string[] endings) =>
        Walk(new DirectoryInfo(Path.Combine(Root, folder)))
            .Where(file => endings.Length == 0 || endings.Any(ending => file.Name.EndsWith(ending, StringComparison.Ordinal)))
            .Select(file => Path.GetRelativePath(Root, file.FullName).Replace('\\', '/'));

    private static IEnumerable<FileInfo> Walk(DirectoryInfo folder) =>
        folder.EnumerateFiles().Concat(folder.EnumerateDirectories().Where(inner => !Skipped.Contains(inner.Name)).SelectMany(Walk));

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Serverless.sln")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("There is no Serverless.sln above the tests.");
        }

        return folder.FullName;
    }
}
