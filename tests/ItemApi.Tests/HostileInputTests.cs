using System.Text;
using System.Text.Json;
using Failover.ItemApi.Tests.Doors;

namespace Failover.ItemApi.Tests;

/// <summary>
/// Inputs that somebody may send, with the answer that each must have (hostile.json): what is wrong is told as its own kind of problem, and what is merely strange comes back exactly.
/// </summary>
public abstract class HostileInputTests(ApiWorld world)
{
    private static readonly HostileInput[] Inputs = HostileInput.Read();

    public static TheoryData<string> Names => [.. Inputs.Select(input => input.Name)];

    [Fact]
    public void There_are_many() => Assert.True(Inputs.Length >= 300 && Inputs.Select(input => input.Name).Distinct().Count() == Inputs.Length, $"{Inputs.Length}");

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Is_answered_as_it_must_be(string name)
    {
        var index = Array.FindIndex(Inputs, input => input.Name == name);
        var input = Inputs[index];
        var id = $"hostile-{index}";
        var answer = await world.Client.AskBytesAsync(input.Method, With(input.Path), input is { IsText: true, Body: { } text } ? Encoding.UTF8.GetBytes(With(Encoding.UTF8.GetString(text))) : input.Body, input.Headers);

        Assert.Equal((input.Status, input.Problem), ((int)answer.Status, input.Method == "HEAD" ? null : answer.Problem));
        if (input.Pointer is not null)
        {
            Assert.Equal(input.Pointer, answer.Member("pointer"));
        }

        if (input.Back is not null)
        {
            var read = await world.Client.AskAsync("GET", With(input.Path));
            using var expected = JsonDocument.Parse(With(input.Back));
            using var found = JsonDocument.Parse(read.Body);
            Assert.Equal(id, found.RootElement.GetProperty("id").GetString());
            Assert.Equal(answer.Body, read.Body);
            foreach (var member in expected.RootElement.EnumerateObject())
            {
                Assert.True(JsonElement.DeepEquals(member.Value, found.RootElement.GetProperty(member.Name)), member.Name);
                // To the letter: a number is never rounded.
                Assert.True(member.Value.ValueKind != JsonValueKind.Number || member.Value.GetRawText() == found.RootElement.GetProperty(member.Name).GetRawText(), read.Body);
            }

            Assert.Equal(expected.RootElement.EnumerateObject().Count(member => member.Name != "id") + 1, found.RootElement.EnumerateObject().Count());
        }

        world.AssertEveryLineIsOneObject();
        world.Lines.Clear();

        string With(string template) => template.Replace("{id}", id, StringComparison.Ordinal);
    }
}

/// <summary>One of hostile.json.</summary>
internal sealed record HostileInput(string Name, string Method, string Path, (string, string?)[] Headers, byte[]? Body, bool IsText, int Status, string? Problem, string? Pointer, string? Back)
{
    public static HostileInput[] Read()
    {
        using var stream = typeof(HostileInput).Assembly.GetManifestResourceStream("hostile.json")!;
        using var document = JsonDocument.Parse(stream);
        return [.. document.RootElement.EnumerateArray().Select(Of)];
    }

    private static HostileInput Of(JsonElement input)
    {
        return new HostileInput(
            Text("name")!,
            Text("method")!,
            Text("path")!,
            input.TryGetProperty("headers", out var headers) ? [.. headers.EnumerateArray().Select(header => (header[0].GetString()!, header[1].GetString()))] : [],
            Text("bodyBase64") is { } bytes ? Convert.FromBase64String(bytes)
                : input.TryGetProperty("bodyParts", out var parts) ? Encoding.UTF8.GetBytes(string.Concat(parts.EnumerateArray().Select(part => new StringBuilder().Insert(0, part.GetProperty("text").GetString()!, part.GetProperty("times").GetInt32()).ToString())))
                : Text("body") is { } text ? Encoding.UTF8.GetBytes(text) : null,
            !input.TryGetProperty("bodyBase64", out _),
            input.GetProperty("status").GetInt32(),
            Text("problem"),
            Text("pointer"),
            Text("back"));

        string? Text(string name) => input.TryGetProperty(name, out var value) ? value.GetString() : null;
    }
}

/// <summary>Behind API Gateway.</summary>
public sealed class HostileInputThroughLambdaTests(LambdaWorld world) : HostileInputTests(world), IClassFixture<LambdaWorld>;

/// <summary>By itself.</summary>
public sealed class HostileInputThroughKestrelTests(KestrelWorld world) : HostileInputTests(world), IClassFixture<KestrelWorld>;
