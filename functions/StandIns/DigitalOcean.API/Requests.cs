namespace DigitalOcean.API.Models.Requests;

public class DomainRecord
{
    public string? Type { get; set; }

    public string? Name { get; set; }

    public string? Data { get; set; }

    public int? Priority { get; set; }

    public int? Port { get; set; }

    public int? Ttl { get; set; }

    public int? Weight { get; set; }

    public int? Flags { get; set; }

    public string? Tag { get; set; }
}

public class UpdateDomainRecord
{
    public string? Type { get; set; }

    public string? Name { get; set; }

    public string? Data { get; set; }

    public int? Priority { get; set; }

    public int? Port { get; set; }

    public int? Ttl { get; set; }

    public int? Weight { get; set; }

    public int? Flags { get; set; }

    public string? Tag { get; set; }
}

public class DropletAction
{
    public string? Type { get; set; }

    public string? Size { get; set; }

    public object? Image { get; set; }

    public string? Name { get; set; }

    public bool? Disk { get; set; }
}
