using System.Globalization;
using System.Text.Json;
using Failover.ControlPlane.Topologies;

namespace Failover.HealthCheck.Probing;

/// <summary>What a body must say: the right region, a time of now. A cached page, or a neighbour's, answers 200 as well.</summary>
public static class BodyConditions
{
    /// <summary>The first condition that a body does not meet, for people; null if it meets all.</summary>
    public static string? Unmet(ReadOnlyMemory<byte> body, IReadOnlyList<JsonCondition> conditions, DateTimeOffset now)
    {
        if (conditions.Count == 0)
        {
            return null;
        }

        try
        {
            using var document = JsonDocument.Parse(body);
            return conditions.Select(condition => Unmet(document.RootElement, condition, now)).FirstOrDefault(unmet => unmet is not null);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            // The second for text that is no Unicode, which is found only when it is read.
            return "the body is not JSON";
        }
    }

    private static string? Unmet(JsonElement root, JsonCondition condition, DateTimeOffset now)
    {
        if (At(root, condition.Path) is not { } value)
        {
            return $"the body has no {condition.Path}";
        }

        // The value is another's text: it goes into no message.
        if (condition.Is is { } wanted && Text(value) != wanted)
        {
            return $"the body's {condition.Path} is not '{wanted}'";
        }

        return condition.FreshWithinSeconds is { } seconds
            && !(DateTimeOffset.TryParse(Text(value), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) && (now - at).Duration() <= TimeSpan.FromSeconds(seconds))
            ? $"the body's {condition.Path} is no time of the last {seconds} s"
            : null;
    }

    private static string? Text(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => value.GetRawText(),
        _ => null,
    };

    /// <summary>RFC 6901.</summary>
    private static JsonElement? At(JsonElement element, string pointer)
    {
        foreach (var part in pointer.Split('/').Skip(1))
        {
            var name = part.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
            if (element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var member))
            {
                element = member;
            }
            else if (element.ValueKind == JsonValueKind.Array && int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var index) && index < element.GetArrayLength())
            {
                element = element[index];
            }
            else
            {
                return null;
            }
        }

        return element;
    }
}
