using Failover.ItemApi.Answers;

namespace Failover.ItemApi.Routing;

/// <summary>
/// Finds the route of a request. The API has a handful of addresses: to look through them takes less than ASP.NET Core's own routing takes to start, which is time that
/// somebody waits for whenever Lambda starts a process (docs/decisions/0012-two-servers-and-no-host.md).
/// </summary>
internal sealed class Router(IReadOnlyList<Route> routes)
{
    private const string Id = "{id}";

    public IReadOnlyList<Route> Routes => routes;

    /// <summary>The route, and the id in the path.</summary>
    /// <exception cref="ProblemException">There is none.</exception>
    public (Route Route, string? Id) Find(string method, string path)
    {
        var allowed = new List<string>();
        foreach (var route in routes)
        {
            if (Matches(route.Template, path, out var id))
            {
                if (route.Method == method)
                {
                    return (route, id);
                }

                allowed.Add(route.Method);
            }
        }

        throw new ProblemException(allowed.Count == 0
            ? new Problem(ProblemKind.NoRoute, $"The API has {string.Join(", ", routes.Select(route => route.Template).Distinct())}.")
            : new Problem(ProblemKind.MethodNotAllowed, $"Here are {string.Join(", ", allowed)}.") { Headers = [("Allow", string.Join(", ", allowed))] });
    }

    private static bool Matches(string template, string path, out string? id)
    {
        id = null;
        if (!template.EndsWith(Id, StringComparison.Ordinal))
        {
            return template == path;
        }

        var prefix = template.Length - Id.Length;
        if (path.Length <= prefix || !path.AsSpan(0, prefix).SequenceEqual(template.AsSpan(0, prefix)) || path.IndexOf('/', prefix) >= 0)
        {
            return false;
        }

        id = path[prefix..];
        return true;
    }
}
