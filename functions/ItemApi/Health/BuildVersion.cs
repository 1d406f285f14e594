using System.Reflection;

namespace Failover.ItemApi.Health;

/// <summary>The version that this binary was built as.</summary>
internal static class BuildVersion
{
    public static string Text { get; } =
        typeof(BuildVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";
}
